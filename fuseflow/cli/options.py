"""Arguments and options that more than one command has."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any

import typer

from fuseflow.errors import TraceError
from fuseflow.models import NAMES, OPTIONS
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


class Activation(StrEnum):
    """Activation of the feed-forward layers."""

    gelu = "gelu"
    relu = "relu"


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
PresetName = Annotated[
    str,
    typer.Option("--preset", metavar="|".join(PRESETS), callback=_known_preset, help="Which of the paper's schedules."),
]


@dataclass(frozen=True, slots=True)
class Request:
    """A model by name, with those of its arguments that the user gave."""

    name: str
    arguments: dict[str, Any]


def _size(what: str, default: str) -> Any:
    return typer.Option(min=1, max=MAX_HIDDEN, help=what, show_default=default)


MODEL_OPTIONS: dict[str, Any] = {
    "dataset": Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Graph ('fuseflow data list' names them) or set of images.",
            show_default="cora, imagenet",
        ),
    ],
    "hidden": Annotated[int | None, _size("Width of the hidden layer.", "the paper's")],
    "weight_sparsity": Annotated[
        float | None, typer.Option(min=0, max=1, help="Fraction of zeros in weights.", show_default="the artifact's")
    ],
    "features": Annotated[Features | None, typer.Option(help="How node features are stored.", show_default="dense")],
    "batch": Annotated[int | None, _size("sae: pictures in a batch.", "32")],
    "side": Annotated[int | None, _size("sae: side of a picture.", "of the set")],
    "folder": Annotated[
        str | None, typer.Option(metavar="DIR", callback=not_empty, help="sae: pictures.", show_default="noise")
    ],
    "block": Annotated[int | None, _size("gpt3, attention: block of the mask.", "64")],
    "sequence": Annotated[int | None, _size("gpt3, attention: tokens.", "1024")],
    "heads": Annotated[int | None, _size("gpt3, attention: heads.", "12")],
    "width": Annotated[int | None, _size("gpt3, attention: width of the model.", "768")],
    "ffn": Annotated[int | None, _size("gpt3: width of the feed-forward layer.", "3072")],
    "decoders": Annotated[int | None, _size("gpt3: decoders, one behind the other.", "1")],
    "activation": Annotated[Activation | None, typer.Option(help="gpt3: activation.", show_default="gelu")],
    "sampled": Annotated[
        bool | None,
        typer.Option("--sampled/--selected", help="attention: the mask samples products, or selects from all of them."),
    ],
    "small": Annotated[bool | None, typer.Option("--small", help="sae, gpt3, attention: small sizes, to try things.")],
    "seed": Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Seed of what is random.", show_default="0")],
}
"""Option of the command line for every argument of a model; None where the user did not give it."""


def for_model(command: Callable[..., None]) -> Callable[..., None]:
    """``command(request, ...)`` as a command that takes a model's name and all options of models.

    An option that the model does not have is refused, not ignored.
    """
    own = list(inspect.signature(command).parameters.values())[1:]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    added = [inspect.Parameter(name, kind, default=None, annotation=option) for name, option in MODEL_OPTIONS.items()]
    model = inspect.Parameter("model", kind, annotation=ModelName)

    @functools.wraps(command)
    def run(model: str, **given: Any) -> None:
        arguments: dict[str, Any] = {}
        for name in MODEL_OPTIONS:
            value = given.pop(name)
            if value is None:
                continue
            if name not in OPTIONS[model]:
                known = ", ".join(f"--{option.replace('_', '-')}" for option in OPTIONS[model])
                raise TraceError(f"{model} has no option --{name.replace('_', '-')}; it has {known}")
            arguments[name] = value.value if isinstance(value, Enum) else value
        command(Request(model, arguments), **given)

    ordered = [model, *(item for item in own if item.default is inspect.Parameter.empty), *added]
    ordered += [item for item in own if item.default is not inspect.Parameter.empty]
    run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {item.name: item.annotation for item in ordered}
    return run
