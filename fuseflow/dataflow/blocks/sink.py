"""Sink: the end of a stream that nobody stores."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import PortSpec
from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class Sink:
    """Takes one token a cycle and drops it (simulator rule 1.7, consumer sink)."""

    kind: ClassVar[str] = "sink"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("in", tuple(StreamKind)),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return ()
