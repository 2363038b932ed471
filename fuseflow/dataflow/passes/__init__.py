"""Graph passes: each takes a graph and returns a new one."""

from fuseflow.dataflow.passes.dead import remove_dead
from fuseflow.dataflow.passes.hoist import hoist
from fuseflow.dataflow.passes.joins import drop_joins
from fuseflow.dataflow.passes.lanes import parallelise
from fuseflow.dataflow.passes.locate import insert_locate
from fuseflow.dataflow.passes.share import share

__all__ = ["drop_joins", "hoist", "insert_locate", "parallelise", "remove_dead", "share"]
