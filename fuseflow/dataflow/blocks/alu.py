"""ALUs: element-wise arithmetic on aligned value streams."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import VAL, PortSpec
from fuseflow.einsum.operators import BinaryOp, UnaryOp


@dataclass(frozen=True, slots=True)
class BinaryALU:
    """``out = op(a, b)``; ``N`` reads as 0 (simulator rule 3.12; two ``N`` give ``op(0, 0)``, a repair)."""

    op: BinaryOp

    kind: ClassVar[str] = "binary"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("a", VAL), PortSpec("b", VAL))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)


@dataclass(frozen=True, slots=True)
class UnaryALU:
    """``out = op(val)``, with ``scalar`` where the operation takes one (simulator rule 3.13).

    ``N`` reads as 0, a repair.
    """

    op: UnaryOp
    scalar: float = 0.0

    kind: ClassVar[str] = "unary"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)
