"""Graph passes: each takes a graph and returns a new one."""

from fuseflow.dataflow.passes.dead import remove_dead
from fuseflow.dataflow.passes.lanes import parallelise
from fuseflow.dataflow.passes.locate import insert_locate

__all__ = ["insert_locate", "parallelise", "remove_dead"]
