"""Stepping: a stepper, and beside it the fiber trees that its graph reads."""

from collections.abc import Mapping
from typing import Any

import ipywidgets

from fuseflow.dataflow.graph import Graph
from fuseflow.formats import FiberTree
from fuseflow.sim import Machine
from fuseflow_widgets.stepper import StreamStepper
from fuseflow_widgets.tree_view import FiberTreeView


class Stepping(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets has no types
    """A StreamStepper as ``stepper`` and, beside it or below where it is narrow, ``trees``: a tensor of choice as a
    tree and as a matrix."""

    def __init__(self, theme: str = "auto") -> None:
        self.stepper = StreamStepper(theme=theme)
        self.trees = FiberTreeView(theme=theme)
        # Both may shrink, and the tree goes below the stepper where there is no room for both.
        self.stepper.layout = ipywidgets.Layout(flex="3 1 600px", min_width="0")
        self.trees.layout = ipywidgets.Layout(flex="2 1 360px", min_width="0")
        super().__init__([self.stepper, self.trees], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="8px"))

    def show(self, graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine | None = None) -> None:
        """Step through ``graph`` on ``tensors``, of which those that it reads are offered as trees.

        Raises as :meth:`StreamStepper.show` does; the trees are there all the same.
        """
        self.trees.offer({name: tensors[name] for name in graph.tensors if name in tensors})
        self.stepper.show(graph, tensors, machine)

    def close(self) -> None:
        """Remove both."""
        for view in (self.stepper, self.trees):
            view.close()
        super().close()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        shown = super()._repr_mimebundle_(**arguments)
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        words = f"{self.stepper.as_text()}\n{self.trees.as_text()}"
        return {**data, "text/plain": words, "image/svg+xml": self.stepper.as_svg()}, metadata
