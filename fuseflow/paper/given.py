"""What a run reads beside the graphs of its points is looked at before anything runs."""

from collections.abc import Iterable, Sequence

from fuseflow.datasets import load
from fuseflow.datasets.graph import find_file
from fuseflow.datasets.images import load_images
from fuseflow.paper.experiment import Experiment, Point, Request


def check_given(experiments: Sequence[Experiment], points: Iterable[Point], request: Request) -> None:
    """Read the graph files of the tables and all pictures, each once; DataError for what is damaged or not there."""
    names = [name for item in experiments if item.graphs is not None for name in item.graphs(request)]
    for name in dict.fromkeys(names):
        if find_file(name) is not None:
            load(name)
    for model in dict.fromkeys(point.model for point in points):
        folder, side = model.get("folder"), model.get("side")
        if folder is not None:
            load_images(str(model["dataset"]), folder=str(folder), side=None if side is None else int(side))
