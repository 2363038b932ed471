"""Opening the workbench: from a model, or from a module with its inputs. What does not work is said in the page."""

from collections.abc import Mapping
from typing import Any

from fuseflow.errors import FuseflowError, TraceError
from fuseflow.formats import Format
from fuseflow.models import Model, trace
from fuseflow.schedule import Schedule
from fuseflow.sim import Machine
from fuseflow_widgets.view import View
from fuseflow_widgets.workbench import Workbench


class Notice(View):
    """A sentence where a workbench would be."""

    page = "notice"

    def as_text(self) -> str:
        return str(self.notice.get("text", ""))


def open_workbench(
    model: Any,
    inputs: tuple[Any, ...] | None = None,
    formats: Mapping[str, str | Format] | None = None,
    *,
    schedule: Schedule | str = "partial",
    machine: Machine | None = None,
    theme: str = "auto",
) -> Workbench | Notice:
    """The workbench of ``model``: a Model, or any ``torch.nn.Module`` with its ``inputs`` and their ``formats``.

    A module that cannot be exported, or a schedule that does not fit it, gives a widget that says why and what to do.
    """
    try:
        return Workbench(_model(model, inputs, formats), schedule, machine=machine, theme=theme)
    except FuseflowError as error:
        notice = Notice(theme=theme)
        notice.say(f"the workbench cannot open this model. {error}", "error")
        return notice


def _model(model: Any, inputs: tuple[Any, ...] | None, formats: Mapping[str, str | Format] | None) -> Model:
    if isinstance(model, Model):
        if inputs is not None or formats is not None:
            raise TraceError("a Model has its data already; pass inputs and formats with a torch.nn.Module only")
        return model
    if isinstance(model, str) or model is None:
        raise TraceError(
            f"{model!r} is not a model; pass one, such as ff.models.gcn('karate'), or a torch.nn.Module with its inputs"
        )
    if inputs is None:
        raise TraceError(
            f"a {type(model).__name__} needs example inputs to be traced: ff.workbench(module, (x, adjacency), "
            'formats={"adjacency": "csr"})'
        )
    return trace(model, inputs, formats)
