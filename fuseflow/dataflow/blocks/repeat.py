"""Repeat: one token of a stream for every token of the fiber that another stream has there."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import ANY, PAYLOAD, PortSpec
from fuseflow.dataflow.blocks.scan import Missing
from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class Repeat:
    """Repeats ``data`` over index variable ``index`` as ``signal`` dictates (simulator rules 3.6 and 3.7).

    One block of the graph, two units of the simulator: a repeat signal generator on ``signal`` and the repeater.
    ``payload`` is the kind of the repeated stream.
    """

    index: str
    payload: StreamKind = StreamKind.REF
    missing: Missing = Missing.EMPTY_FIBER

    kind: ClassVar[str] = "repeat"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("data", PAYLOAD), PortSpec("signal", ANY, 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,), 1),)
