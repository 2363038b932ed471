"""Sparse accumulators: sums over an index that is not innermost, in a sorted workspace."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, VAL, PortSpec
from fuseflow.dataflow.blocks.tile import Tile


@dataclass(frozen=True, slots=True)
class SparseAccumulator:
    """Sparse accumulator of order ``len(indices)`` (simulator rules 3.17 and 3.18).

    ``indices`` are the accumulated index variables, outermost first, and ``extents`` their sizes. ``reduced`` is the
    variable that is summed away. Inputs: ``crd0`` (innermost), ``crd1`` ... ``crd<order>`` (the last is the reduced
    level), ``val``. Outputs: ``crd0`` ... ``crd<order-1>`` and ``val``, one level shallower.
    ``tiles`` as for a reduce.
    """

    reduced: str
    indices: tuple[str, ...]
    extents: tuple[int, ...]
    tiles: tuple[Tile, ...] = ()

    kind: ClassVar[str] = "accumulator"

    @property
    def order(self) -> int:
        return len(self.indices)

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        crds = tuple(PortSpec(f"crd{number}", CRD, -number) for number in range(self.order + 1))
        return (*crds, PortSpec("val", VAL))

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        crds = tuple(PortSpec(f"crd{number}", CRD, -1 - number) for number in range(self.order))
        return (*crds, PortSpec("val", VAL, -1))
