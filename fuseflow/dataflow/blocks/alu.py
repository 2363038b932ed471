"""ALUs: element-wise arithmetic on aligned value streams."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import VAL, PortSpec
from fuseflow.dataflow.blocks.tile import Tile
from fuseflow.einsum.operators import BinaryOp, UnaryOp


@dataclass(frozen=True, slots=True)
class BinaryALU:
    """``out = op(a, b)``; ``N`` reads as 0 (simulator rule 3.12; two ``N`` give ``op(0, 0)``, a repair).

    ``tiles``, where values are tiles: those of ``a``, ``b`` and ``val``. A product sums the axes that ``val`` lacks.
    """

    op: BinaryOp
    tiles: tuple[Tile, ...] = ()

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

    ``N`` reads as 0, a repair. ``tiles``, where values are tiles: those of the input and of the output, which may have
    more axes and another order of them.
    """

    op: UnaryOp
    scalar: float = 0.0
    tiles: tuple[Tile, ...] = ()

    kind: ClassVar[str] = "unary"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)
