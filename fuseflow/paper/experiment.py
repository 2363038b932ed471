"""What an experiment is, as data: the points it simulates, the bars they add up to, the claim and how it is judged.

Nothing here runs anything. A *point* is one simulation (model, schedule, memory). A *bar* is what a figure shows: one
point, or several that run one after the other, each as often as it runs (the kernels of GPT-3's decoders).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import pandas as pd

from fuseflow.errors import DataError
from fuseflow.explore.store import Outcome, Store
from fuseflow.paper_modes import Configuration as Configuration  # given on to every figure
from fuseflow.paper_modes import Mode as Mode
from fuseflow.schedule import Lanes


class Base(Enum):
    """Which fusion regions a schedule has."""

    UNFUSED = "unfused"
    PARTIAL = "partial"
    FULL = "full"
    FIRST = "first"
    """The first layer fused, the others unfused."""
    LAST = "last"
    """The last layer fused, the others unfused."""
    EXPRESSION = "expression"
    """Chains of matrix products fused, one expression each, in factored iteration; the rest unfused."""
    EXPRESSION_GLOBAL = "expression, global"
    """The same regions in one loop nest over all indices, as compilers that fuse single expressions iterate."""


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule by rule; ``order`` and ``lanes`` apply to every region, ``blocks`` to every index (0: no tiles)."""

    base: Base
    order: tuple[str, ...] | None = None
    lanes: tuple[Lanes, ...] = ()
    blocks: int = 0

    def __str__(self) -> str:
        order = "" if self.order is None else f" order {' '.join(self.order)}"
        tiles = f" in tiles of {self.blocks}" if self.blocks else ""
        lanes = "".join(f" {item.count} lanes of {item.index}" for item in self.lanes)
        return f"{self.base.value}{order}{lanes}{tiles}"


class Kind(Enum):
    """What builds a model; see :mod:`fuseflow.paper.recipes`."""

    GCN = "gcn"
    GRAPHSAGE = "graphsage"
    SAE = "sae"
    ATTENTION = "attention"
    SCORES = "dense scores"
    DECODER_KERNEL = "decoder kernel"
    PATTERN_GCN = "gcn on a drawn pattern"
    NESTED_MATMUL = "nested matmul"


Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model by recipe: ``arguments`` are those of its builder, ``data_seed`` that of a synthetic twin or of noise."""

    kind: Kind
    arguments: tuple[tuple[str, Value], ...]
    data_seed: int = 0

    @classmethod
    def of(cls, kind: Kind, data_seed: int = 0, **arguments: Value) -> "ModelSpec":
        return cls(kind, tuple(sorted(arguments.items())), data_seed)

    def __getitem__(self, name: str) -> Value:
        return dict(self.arguments)[name]

    def get(self, name: str) -> Value | None:
        return dict(self.arguments).get(name)

    def __str__(self) -> str:
        return f"{self.kind.value} {' '.join(f'{name}={value}' for name, value in self.arguments)}"


@dataclass(frozen=True, slots=True)
class Point:
    """One simulation; ``hbm`` is the reference's memory model, off an ideal memory.

    ``equal_throughput`` gives units of tiles one multiply-add and one word per cycle, not a lane per element.
    """

    model: ModelSpec
    schedule: ScheduleSpec
    hbm: bool = False
    equal_throughput: bool = False

    def __str__(self) -> str:
        machine = f"{', HBM' if self.hbm else ''}{', equal throughput' if self.equal_throughput else ''}"
        return f"{self.model}, {self.schedule}{machine}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a figure: ``labels`` place it, ``parts`` are its points and how often each runs.

    ``reference`` is the published value of the quantity in column ``cycles``, where there is one. A part that runs a
    negative number of times is taken off: a kernel that another part has in it.
    """

    labels: tuple[tuple[str, Value], ...]
    parts: tuple[tuple[Point, int], ...]
    reference: float | None = None

    @classmethod
    def of(cls, point: Point, reference: float | None = None, **labels: Value) -> "Bar":
        return cls(tuple(labels.items()), ((point, 1),), reference)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim beside what we found. ``tolerance`` is a relative one; None where only the sign or trend is claimed.

    ``ours`` is None where a point is missing. ``reason`` says why the two differ, where they do.
    """

    what: str
    paper: str
    ours: str
    ratio: float | None
    agrees: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for: how much, and whose choices; ``pictures`` is a folder of images for the autoencoder."""

    mode: Mode
    configuration: Configuration = Configuration.SAME_WORK
    pictures: str = ""


Declare = Callable[[Request], tuple[Bar, ...]]
Derive = Callable[[pd.DataFrame, Request], pd.DataFrame]
Judge = Callable[[pd.DataFrame, Request], list[Verdict]]
Details = Callable[[Sequence[Bar], Mapping[Point, Outcome], Store, Request], list[str]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A figure or table. ``bars`` are simulated, ``derive`` adds columns (or computes the rows of a table that needs no
    simulation), ``judge`` compares with the paper, ``chart`` draws an Altair chart of the derived rows, ``details`` are
    lines of Markdown that need the counters of nodes.
    """

    name: str
    title: str
    claim: str
    bars: Declare
    derive: Derive
    judge: Judge
    chart: Callable[[pd.DataFrame], Any] | None = None
    details: Details | None = None
    graphs: Callable[[Request], Sequence[str]] | None = None
    """Data sets that ``derive`` reads beside those of the points."""
    notes: tuple[str, ...] = field(default=())

    def only(self, **labels: Sequence[Value]) -> "Experiment":
        """This experiment with those bars alone whose labels are among ``labels``: a part that takes less time.

        Verdicts that need other bars too say that points are missing. Raises DataError, when its bars are asked for, if
        none is left.
        """

        def kept(request: Request) -> tuple[Bar, ...]:
            every = self.bars(request)
            found = tuple(
                bar for bar in every if all(dict(bar.labels).get(name) in values for name, values in labels.items())
            )
            if not found:
                known = {name: sorted({str(dict(bar.labels).get(name)) for bar in every}) for name in labels}
                choices = "; ".join(f"{name}: {', '.join(values)}" for name, values in known.items())
                raise DataError(f"no bar of {self.name} has these labels; there are {choices}")
            return found

        return replace(self, bars=kept)
