"""Reduce: folds the innermost fibers of a value stream to single values."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, VAL, PortSpec
from fuseflow.dataflow.blocks.tile import Tile
from fuseflow.einsum.operators import ReduceOp


@dataclass(frozen=True, slots=True)
class Reduce:
    """Sum or maximum of every innermost fiber (simulator rules 3.15 and 3.16).

    A value stream alone cannot tell an empty innermost fiber (which reduces to the operation's value of nothing) from
    an empty fiber one level up (which has nothing to reduce). Where the level above may be empty, ``guarded`` adds
    its coordinate stream as input ``crd``: one value is produced per coordinate, none for an empty fiber.

    ``tiles``, where values are tiles: of the input and of the output, which may lack axes: these are folded, too.
    """

    op: ReduceOp
    guarded: bool = False
    tiles: tuple[Tile, ...] = ()

    kind: ClassVar[str] = "reduce"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        guard = (PortSpec("crd", CRD, -1),) if self.guarded else ()
        return (PortSpec("val", VAL), *guard)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL, -1),)
