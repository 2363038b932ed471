"""Parallel lanes: fork (scatter) deals a stream out to lanes, gather joins what the lanes made of it.

The reference calls the second one Join; here that word means the co-iteration of a :class:`Joiner`.
"""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, PortSpec
from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class Fork:
    """Deals the payloads of ``in`` out to ``out0`` ... in turn and copies stops to all (simulator rule 3.22).

    With ``boundaries`` it deals by coordinate instead: an input ``crd`` of the same level goes along, and lane ``l``
    gets the coordinates from ``boundaries[l - 1]`` up to ``boundaries[l]`` (ascending split points).
    ``owners`` gives the lane of every such range, where there are more ranges than lanes.
    """

    lanes: int
    payload: StreamKind = StreamKind.REF
    boundaries: tuple[int, ...] = ()
    owners: tuple[int, ...] = ()

    kind: ClassVar[str] = "fork"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        guide = (PortSpec("crd", CRD),) if self.boundaries else ()
        return (PortSpec("in", (self.payload,)), *guide)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return tuple(PortSpec(f"out{number}", (self.payload,)) for number in range(self.lanes))


@dataclass(frozen=True, slots=True)
class Gather:
    """Takes from each lane in turn what it made of one forked payload (simulator rule 3.22, join).

    On its own it takes an innermost fiber, and is right only where every fiber of the level above has a multiple of
    ``lanes`` coordinates: nothing in the lanes tells where that level ends. ``guarded`` adds the forked level as input
    ``crd``, and any number of coordinates is right. With a guard, the streams of the lanes may be nested ``depth``
    levels below the forked one (0: one payload per coordinate); ``boundaries`` and ``owners`` are those of the fork.
    """

    lanes: int
    payload: StreamKind = StreamKind.REF
    guarded: bool = False
    depth: int = 1
    boundaries: tuple[int, ...] = ()
    owners: tuple[int, ...] = ()

    kind: ClassVar[str] = "gather"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        guard = (PortSpec("crd", CRD, -self.depth),) if self.guarded else ()
        return (*(PortSpec(f"in{number}", (self.payload,)) for number in range(self.lanes)), *guard)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,)),)
