"""Blocks on the coordinate streams of two neighbouring levels: drop, hold, mask, flatten."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, REF, PortSpec


@dataclass(frozen=True, slots=True)
class CoordDrop:
    """Drops the coordinates of ``outer`` whose fiber of ``inner`` is empty (simulator rule 3.19).

    The inner stream passes unchanged: the stops of dropped fibers stay in it, as in the reference and in SAM. Where
    what follows counts fibers (a writer of ours does), send it through a :class:`StopDrop`.
    """

    outer: str
    inner: str

    kind: ClassVar[str] = "coord_drop"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1))


@dataclass(frozen=True, slots=True)
class CoordHold:
    """Holds each coordinate of ``outer`` for its fiber of ``inner`` (simulator rule 3.20): output ``outer`` has the
    shape of ``inner``, which passes unchanged."""

    outer: str
    inner: str

    kind: ClassVar[str] = "coord_hold"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD, 1), PortSpec("inner", CRD, 1))


class Comparison(Enum):
    """What a mask asks of an outer coordinate ``o`` and an inner coordinate ``i``."""

    LESS = "o < i"
    LESS_EQUAL = "o <= i"
    EQUAL = "o == i"
    NOT_EQUAL = "o != i"
    GREATER_EQUAL = "o >= i"
    GREATER = "o > i"

    def holds(self, outer: int, inner: int) -> bool:
        match self:
            case Comparison.LESS:
                return outer < inner
            case Comparison.LESS_EQUAL:
                return outer <= inner
            case Comparison.EQUAL:
                return outer == inner
            case Comparison.NOT_EQUAL:
                return outer != inner
            case Comparison.GREATER_EQUAL:
                return outer >= inner
            case Comparison.GREATER:
                return outer > inner


@dataclass(frozen=True, slots=True)
class CoordMask:
    """Drops the inner coordinates, with their references, for which ``masked`` holds; and the outer coordinates that
    keep none (simulator rule 3.23, repaired).

    ``masked=Comparison.LESS`` keeps a lower triangle with its diagonal. The repair: the stops that leave are those of
    the fibers that are left (the reference loses the end of an outer fiber whose last inner fiber is dropped).
    """

    outer: str
    inner: str
    masked: Comparison

    kind: ClassVar[str] = "coord_mask"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1), PortSpec("ref", REF, 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1), PortSpec("ref", REF, 1))


@dataclass(frozen=True, slots=True)
class Flatten:
    """Joins two levels into one index ``index``: ``crd = outer * factor + inner`` (simulator rule 3.23, repaired).

    ``factor`` is the size of the inner dimension. The repair: the stop of the outer level is passed on together with
    the inner stop that it is merged into (the reference never gets to it).
    """

    outer: str
    inner: str
    index: str
    factor: int

    kind: ClassVar[str] = "flatten"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("outer", CRD), PortSpec("inner", CRD, 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("crd", CRD),)
