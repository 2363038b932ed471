"""FiberTreeView: a fiber tree as a tree, level by level, and as a matrix, linked both ways."""

from typing import Any

import numpy as np
import traitlets

from fuseflow.errors import FormatError
from fuseflow.formats import FiberTree, LevelKind
from fuseflow.formats.build import expand_levels
from fuseflow_widgets.view import View

MAX_STORED = 400
"""Stored values that are drawn; more cannot be read."""


class FiberTreeView(View):
    """A small tensor of order 1 to 3. ``selected`` is the position of a stored value, -1 for none."""

    page = "tree"
    tree = traitlets.Dict().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)

    def __init__(self, shown: FiberTree | None = None, name: str = "tensor", **traits: Any) -> None:
        self._tree: FiberTree | None = None
        super().__init__(**traits)
        if shown is not None:
            self.show(shown, name)

    def show(self, tree: FiberTree, name: str = "tensor") -> None:
        """Show another tree; FormatError if it is too large to be read."""
        if tree.stored > MAX_STORED or not 1 <= tree.order <= 3:
            raise FormatError(
                f"{name} has order {tree.order} and {tree.stored} stored values; drawn are tensors of order 1 to 3 "
                f"with at most {MAX_STORED} values: give it a slice"
            )
        self._tree = tree
        self.tree = {
            "name": name,
            "format": str(tree.format),
            "shape": list(tree.shape),
            "mode_order": list(tree.format.mode_order),
            "kinds": [level.kind.name.lower() for level in tree.format.levels],
            "paths": _paths(tree),
            "values": [float(value) for value in tree.values],
            "arrays": _arrays(tree),
        }
        self.selected = -1

    def as_text(self) -> str:
        return repr(self._tree) if self._tree is not None else "FiberTreeView of nothing"


def _paths(tree: FiberTree) -> list[list[int]]:
    """Coordinates by level of every stored value, padding of dense levels included."""
    columns = expand_levels(tree.levels, np.arange(tree.stored))
    return [[int(column[position]) for column in columns] for position in range(tree.stored)]


def _arrays(tree: FiberTree) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for level, storage in zip(tree.format.levels, tree.levels, strict=True):
        arrays: dict[str, Any] = {"kind": level.kind.name.lower()}
        if level.kind is LevelKind.DENSE:
            arrays["size"] = int(getattr(storage, "size"))  # noqa: B009 - the kind says which class it is
        for key in ("segments", "coordinates"):
            if hasattr(storage, key):
                arrays[key] = [int(each) for each in getattr(storage, key)]
        found.append(arrays)
    return found
