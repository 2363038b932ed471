"""fuseflow: fuse sparse deep learning into streaming dataflow graphs, and simulate them cycle for cycle.

``import fuseflow as ff``; the names below load what they need when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# These packages load first, and little by themselves: functions below take over their names.
from fuseflow import estimate as _estimate  # noqa: F401 - see above
from fuseflow import explore as _explore  # noqa: F401 - see above
from fuseflow.einsum import nodes as _nodes  # noqa: F401 - see above

if TYPE_CHECKING:
    from fuseflow import datasets as datasets
    from fuseflow import models as models
    from fuseflow.comparison import Comparison as Comparison
    from fuseflow.comparison import compare as compare
    from fuseflow.compiled import Compiled as Compiled
    from fuseflow.compiled import compile as compile
    from fuseflow.einsum import Program as Program
    from fuseflow.einsum import parse as parse
    from fuseflow.errors import FuseflowError as FuseflowError
    from fuseflow.estimate import Estimate as Estimate
    from fuseflow.exploration import autoschedule as autoschedule
    from fuseflow.exploration import results as results
    from fuseflow.explored import Exploration as Exploration
    from fuseflow.formats import FiberTree as FiberTree
    from fuseflow.formats import Format as Format
    from fuseflow.handle import RunHandle as RunHandle
    from fuseflow.lowering import OnCycle as OnCycle
    from fuseflow.models import Model as Model
    from fuseflow.models import from_mlir as from_mlir
    from fuseflow.models import trace as trace
    from fuseflow.pass_effects import passes_report as passes_report
    from fuseflow.run import Run as Run
    from fuseflow.schedule import GraphPass as GraphPass
    from fuseflow.schedule import Iteration as Iteration
    from fuseflow.schedule import Lanes as Lanes
    from fuseflow.schedule import Region as Region
    from fuseflow.schedule import Scatter as Scatter
    from fuseflow.schedule import Schedule as Schedule
    from fuseflow.sim import Machine as Machine
    from fuseflow.sim import Trace as Trace
    from fuseflow.sim import TraceFrame as TraceFrame
    from fuseflow.sim import TraceOptions as TraceOptions

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "fuseflow.comparison",
    "Compiled": "fuseflow.compiled",
    "Estimate": "fuseflow.estimate",
    "Exploration": "fuseflow.explored",
    "FiberTree": "fuseflow.formats",
    "Format": "fuseflow.formats",
    "FuseflowError": "fuseflow.errors",
    "GraphPass": "fuseflow.schedule",
    "Iteration": "fuseflow.schedule",
    "Lanes": "fuseflow.schedule",
    "Machine": "fuseflow.sim",
    "Model": "fuseflow.models",
    "OnCycle": "fuseflow.lowering",
    "Program": "fuseflow.einsum",
    "Region": "fuseflow.schedule",
    "Run": "fuseflow.run",
    "RunHandle": "fuseflow.handle",
    "Scatter": "fuseflow.schedule",
    "Schedule": "fuseflow.schedule",
    "autoschedule": "fuseflow.exploration",
    "Trace": "fuseflow.sim",
    "TraceFrame": "fuseflow.sim",
    "TraceOptions": "fuseflow.sim",
    "compare": "fuseflow.comparison",
    "compile": "fuseflow.compiled",
    "from_mlir": "fuseflow.models",
    "parse": "fuseflow.einsum",
    "passes_report": "fuseflow.pass_effects",
    "results": "fuseflow.exploration",
    "trace": "fuseflow.models",
}
_MODULES = ("course", "datasets", "models")

__all__ = [*_HOMES, *_MODULES, "einsum", "estimate", "explore", "workbench"]


def einsum(text: str, /, **data: Any) -> "Model":
    """Model of a program in text form: ``ff.einsum("Y[i,j] = A[i,k] * X[k,j]", A=a, X=x)``.

    ``data`` holds one array, torch tensor, scipy sparse matrix or FiberTree per input.
    See :func:`fuseflow.models.from_text`.
    """
    from fuseflow.models import from_text

    return from_text(text, **data)


def estimate(*args: Any, **options: Any) -> "Estimate":
    """FLOPs, bytes and cycles of a schedule without simulation; see :func:`fuseflow.estimating.estimate`."""
    from fuseflow.estimating import estimate as found

    return found(*args, **options)


def explore(*args: Any, **options: Any) -> "Exploration":
    """Search the schedules of a model; see :func:`fuseflow.exploration.explore`."""
    from fuseflow.exploration import explore as found

    return found(*args, **options)


def workbench(model: Any, inputs: "tuple[Any, ...] | None" = None, formats: Any = None, **settings: Any) -> Any:
    """The Jupyter workbench of a Model, or of a ``torch.nn.Module`` with its ``inputs`` and their ``formats``.

    Needs the package ``fuseflow_widgets`` and what it stands on (``pip install 'fuseflow[lab]'``); see
    ``fuseflow_widgets.open_workbench`` for the settings. Raises ImportError where that is missing.
    """
    try:
        widgets = import_module("fuseflow_widgets")
        opened = widgets.open_workbench
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the workbench needs the module {error.name!r}; run: pip install 'fuseflow[lab]', then restart the kernel"
        ) from error
    return opened(model, inputs, formats, **settings)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"fuseflow.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fuseflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
