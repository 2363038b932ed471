"""Compiled graphs for other tools, one per kernel: SAM's DOT, or the reference simulator's files with their data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fuseflow.compiled import Compiled
from fuseflow.dataflow.blocks import Array, LevelScanner, Locate
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.interop import write_comal, write_dot
from fuseflow.errors import DataError
from fuseflow.formats import FiberTree, write_npz
from fuseflow.run import move_stored
from fuseflow.sim import simulate

ExportFormat = Literal["dot", "comal"]


@dataclass(frozen=True, slots=True, eq=False)
class KernelData:
    """One kernel: its graph and the data of every tensor that it reads or locates in."""

    name: str
    graph: Graph
    tensors: Mapping[str, FiberTree]


def kernels_with_data(compiled: Compiled) -> Iterator[KernelData]:
    """Every kernel in the order in which they run. Each is simulated, for the data of those after it."""
    tensors = {**compiled.model.tensors, **compiled.constants}
    move_stored(compiled.model.program, tensors)
    for number, region in enumerate(compiled.regions):
        graph = region.graph
        used = {node.block.tensor for node in graph if isinstance(node.block, Array | LevelScanner | Locate)}
        yield KernelData(region.name, graph, {name: tree for name, tree in tensors.items() if name in used})
        if number + 1 < len(compiled.regions):
            result = simulate(graph, {name: tensors[name] for name in graph.tensors})
            for name, tree in result.outputs.items():
                tensors[name] = tree.convert(region.formats[name])
            move_stored(compiled.model.program, tensors)


def export(compiled: Compiled, folder: str | Path, format: ExportFormat) -> tuple[Path, ...]:
    """Write every kernel below ``folder``: ``<kernel>.gv`` with its tensors in ``<kernel>/<tensor>.npz``, or a folder
    ``<kernel>`` that ``read_comal`` reads.

    Returns what was written, in the order in which the kernels run. Raises DataError where nothing can be written.
    """
    if format not in ("dot", "comal"):
        raise DataError(f"unknown format {format!r}; use 'dot' (SAM) or 'comal' (the reference simulator)")
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DataError(f"cannot make the folder {folder}: {fault.strerror}; give another one") from None
    made = []
    for kernel in kernels_with_data(compiled):
        path = target / (f"{kernel.name}.gv" if format == "dot" else kernel.name)
        if format == "dot":
            write_dot(path, kernel.graph, kernel.tensors)
            beside = path.with_suffix("")
            beside.mkdir(exist_ok=True)
            for name, tree in kernel.tensors.items():
                write_npz(beside / f"{name}.npz", tree)
        else:
            write_comal(path, kernel.graph, kernel.tensors)
        made.append(path)
    return tuple(made)
