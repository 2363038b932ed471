"""Arguments and options that more than one command has."""

from enum import StrEnum
from typing import Annotated

import typer

from fuseflow.models import NAMES
from fuseflow.schedule import PRESETS

MAX_SEED = 2**63 - 1
"""What every random generator in use takes."""
MAX_HIDDEN = 2**16
"""A wider layer is a slip of the finger: its features alone would fill the memory."""


class EngineName(StrEnum):
    """Simulator: the fast one, or the plain one that it is tested against."""

    compiled = "compiled"
    interpreter = "interpreter"


class Features(StrEnum):
    """How node features are stored."""

    dense = "dense"
    csr = "csr"


class View(StrEnum):
    """What ``fuseflow show`` prints."""

    program = "program"
    table = "table"
    graph = "graph"
    dot = "dot"
    svg = "svg"


def not_empty(path: str | None) -> str | None:
    """Callback of options that take a path: an empty one would silently be the current folder."""
    if path is not None and not path.strip():
        raise typer.BadParameter("it is empty; give a path, or leave the option out")
    return path


def _known_model(name: str) -> str:
    if name not in NAMES:
        raise typer.BadParameter(f"unknown model {name!r}; use one of {', '.join(NAMES)}")
    return name


def _known_preset(name: str) -> str:
    if name not in PRESETS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, PRESETS))}")
    return name


ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", callback=_known_model, help=f"One of: {', '.join(NAMES)}.", show_default=False)
]
Dataset = Annotated[str, typer.Option("--dataset", metavar="NAME", help="Data set; 'fuseflow data list' names them.")]
PresetName = Annotated[
    str,
    typer.Option("--preset", metavar="|".join(PRESETS), callback=_known_preset, help="Which of the paper's schedules."),
]
Hidden = Annotated[int, typer.Option("--hidden", min=1, max=MAX_HIDDEN, help="Width of the hidden layer.")]
WeightSparsity = Annotated[float, typer.Option("--weight-sparsity", min=0, max=1, help="Fraction of zeros in weights.")]
FeaturesOption = Annotated[Features, typer.Option("--features", help="How node features are stored.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=MAX_SEED, help="Seed of the random weights.")]
