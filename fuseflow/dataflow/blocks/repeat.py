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


@dataclass(frozen=True, slots=True)
class RepeatSignal:
    """The first half of a :class:`Repeat` on its own: a repeat signal from any stream (simulator rule 3.6)."""

    index: str

    kind: ClassVar[str] = "repeat_signal"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("in", ANY),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("signal", (StreamKind.SIGNAL,)),)


@dataclass(frozen=True, slots=True)
class Repeater:
    """The second half of a :class:`Repeat` on its own, driven by a repeat signal stream (simulator rule 3.7).

    One :class:`RepeatSignal` may drive many of them.
    """

    index: str
    payload: StreamKind = StreamKind.REF
    missing: Missing = Missing.EMPTY_FIBER

    kind: ClassVar[str] = "repeater"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("data", PAYLOAD), PortSpec("signal", (StreamKind.SIGNAL,), 1))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.payload,), 1),)
