"""Cross-expression fusion: views, partial order graph and legal dataflow orders (paper §5)."""

from fuseflow.fusion.count import OrderCount, count_orders
from fuseflow.fusion.fuse import FusedRegion, copy_candidates, fuse
from fuseflow.fusion.order import Constraint, PartialOrder
from fuseflow.fusion.views import Leaf, LeafKey, Operation, View, walk

__all__ = [
    "Constraint",
    "FusedRegion",
    "Leaf",
    "LeafKey",
    "Operation",
    "OrderCount",
    "PartialOrder",
    "View",
    "copy_candidates",
    "count_orders",
    "fuse",
    "walk",
]
