"""Droppers: blocks that take tokens out of streams by what they are."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, VAL, PortSpec
from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class StopDrop:
    """Drops every stop that follows another stop, and a stop at the start (simulator rule 3.23, StknDrop).

    So empty fibers vanish. Levels are not merged: the first stop of a run is the one that stays.
    """

    payload: StreamKind = StreamKind.CRD

    kind: ClassVar[str] = "stop_drop"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("in", (self.payload,)),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,)),)


@dataclass(frozen=True, slots=True)
class ValueDrop:
    """Drops values that are 0, with their coordinates at ``index`` (simulator rule 3.23, ValDrop, repaired).

    Every stop passes (the reference drops every second one, whatever the values), so a fiber that loses all its values
    stays as an empty fiber.
    """

    index: str

    kind: ClassVar[str] = "value_drop"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL), PortSpec("crd", CRD))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL), PortSpec("crd", CRD))
