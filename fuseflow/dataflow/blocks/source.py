"""Sources: where streams begin."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import REF, PortSpec
from fuseflow.dataflow.tokens import Stop, StreamKind, Token


@dataclass(frozen=True, slots=True)
class Root:
    """Emits the root reference ``0 D`` of ``tensor`` (simulator rule 1.7, generator)."""

    tensor: str

    kind: ClassVar[str] = "root"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return ()

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("ref", REF),)


@dataclass(frozen=True, slots=True)
class Generator:
    """Emits ``tokens``, one a cycle, on ``out`` (simulator rule 1.7): for graphs written by hand and for replay.

    The tokens end in the only ``D``. References may say that they point into level ``level`` of ``tensor`` (-1 is its
    root), so that scanners and arrays of that tensor can read them.
    """

    stream: StreamKind
    tokens: tuple[Token, ...]
    tensor: str | None = None
    level: int = -1

    kind: ClassVar[str] = "generator"

    @property
    def depth(self) -> int:
        """Nesting of the stream: one more than its highest stop, 0 without stops."""
        return 1 + max((token.level for token in self.tokens if isinstance(token, Stop)), default=-1)

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return ()

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("out", (self.stream,), self.depth),)
