"""Design space, search, runner and result store (paper §7 names the search as future work).

Loads little by itself: ``fuseflow`` imports it to keep its name for the function :func:`fuseflow.explore`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuseflow.explore.pareto import pareto_front as pareto_front
    from fuseflow.explore.runner import CancelledError as CancelledError
    from fuseflow.explore.runner import Job as Job
    from fuseflow.explore.runner import run_jobs as run_jobs
    from fuseflow.explore.search import Search as Search
    from fuseflow.explore.space import Partitions as Partitions
    from fuseflow.explore.space import Space as Space
    from fuseflow.explore.store import Outcome as Outcome
    from fuseflow.explore.store import Status as Status
    from fuseflow.explore.store import Store as Store

_HOMES = {
    "CancelledError": "runner",
    "Job": "runner",
    "Outcome": "store",
    "Partitions": "space",
    "Search": "search",
    "Space": "space",
    "Status": "store",
    "Store": "store",
    "pareto_front": "pareto",
    "run_jobs": "runner",
}

__all__ = [
    "CancelledError",
    "Job",
    "Outcome",
    "Partitions",
    "Search",
    "Space",
    "Status",
    "Store",
    "pareto_front",
    "run_jobs",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"fuseflow.explore.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'fuseflow.explore' has no attribute {name!r}")
