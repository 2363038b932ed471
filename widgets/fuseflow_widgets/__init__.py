"""The Jupyter workbench for fuseflow, on ipywidgets and anywidget. Depends on ``fuseflow``, never the reverse.

Names load what they need when first used: ``import fuseflow_widgets`` itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuseflow_widgets.compare_view import CompareView as CompareView
    from fuseflow_widgets.graph_view import GraphView as GraphView
    from fuseflow_widgets.opening import Notice as Notice
    from fuseflow_widgets.opening import open_workbench as open_workbench
    from fuseflow_widgets.picker import FusionPicker as FusionPicker
    from fuseflow_widgets.run_view import RunView as RunView
    from fuseflow_widgets.stepper import StreamStepper as StreamStepper
    from fuseflow_widgets.stepping import Stepping as Stepping
    from fuseflow_widgets.summary import Summary as Summary
    from fuseflow_widgets.table_view import FusionTableView as FusionTableView
    from fuseflow_widgets.table_view import link_selection as link_selection
    from fuseflow_widgets.tree_view import FiberTreeView as FiberTreeView
    from fuseflow_widgets.workbench import Workbench as Workbench

__version__ = "0.1.0"

_HOMES = {
    "CompareView": "compare_view",
    "FiberTreeView": "tree_view",
    "FusionPicker": "picker",
    "FusionTableView": "table_view",
    "GraphView": "graph_view",
    "Notice": "opening",
    "RunView": "run_view",
    "Stepping": "stepping",
    "StreamStepper": "stepper",
    "Summary": "summary",
    "Workbench": "workbench",
    "link_selection": "table_view",
    "open_workbench": "opening",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"fuseflow_widgets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'fuseflow_widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
