"""Cross-expression fusion: views, partial order graph and legal dataflow orders (paper §5)."""

from fuseflow.fusion.fuse import FusedRegion, fuse
from fuseflow.fusion.order import Constraint, PartialOrder
from fuseflow.fusion.views import Leaf, Operation, View, walk

__all__ = ["Constraint", "FusedRegion", "Leaf", "Operation", "PartialOrder", "View", "fuse", "walk"]
