"""FiberTreeView: a fiber tree as a tree, level by level, and as a matrix, linked both ways."""

from collections.abc import Mapping
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
    """A small tensor of order 1 to 3, or one of several by choice: ``name`` is the one that is shown, set from either
    side. ``selected`` is the position of a stored value, -1 for none.
    """

    page = "tree"
    tree = traitlets.Dict().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)

    def __init__(self, shown: FiberTree | None = None, name: str = "tensor", **traits: Any) -> None:
        self._trees: dict[str, FiberTree] = {}
        super().__init__(**traits)
        if shown is not None:
            self.show(shown, name)

    def show(self, tree: FiberTree, name: str = "tensor") -> None:
        """Show another tree; FormatError if it cannot be drawn so that it can be read."""
        require_legible(tree, name)
        self._offer({name: tree}, name)

    def offer(self, trees: Mapping[str, FiberTree]) -> None:
        """Let one of ``trees`` be chosen; the one that was shown stays, if it is among them, else the first legible."""
        wanted = [*([self.name] if self.name in trees else []), *trees]
        legible = (name for name in wanted if _unfit(trees[name], name) is None)
        self._offer(dict(trees), next(legible, next(iter(wanted), "")))

    def _offer(self, trees: dict[str, FiberTree], name: str) -> None:
        self._trees = trees
        with self.hold_sync():
            self.choices = list(trees)
            if self.name == name:
                self._draw()
            else:
                self.name = name

    @traitlets.observe("name")
    def _draw(self, _: Any = None) -> None:
        """What is chosen and cannot be drawn is said: it was offered, so the choice is no error."""
        tree = self._trees.get(self.name)
        words = _unfit(tree, self.name) if tree is not None else None
        self.selected = -1
        self.tree = {} if tree is None or words else _described(tree, self.name)
        self.say(words or "")

    def as_text(self) -> str:
        return repr(self._trees[self.name]) if self.name in self._trees else "FiberTreeView of nothing"


def require_legible(tree: FiberTree, name: str) -> None:
    """FormatError, with what to do, if ``tree`` cannot be drawn so that it can be read."""
    words = _unfit(tree, name)
    if words:
        raise FormatError(words)


def _unfit(tree: FiberTree, name: str) -> str | None:
    if tree.values.ndim > 1:
        tiles = "×".join(map(str, tree.values.shape[1:]))
        return f"the values of {name} are tiles of {tiles}, and only numbers are drawn: set blocks to none"
    if tree.stored > MAX_STORED or not 1 <= tree.order <= 3:
        return (
            f"{name} has order {tree.order} and {tree.stored} stored values; drawn are tensors of order 1 to 3 "
            f"with at most {MAX_STORED} values: give it a slice"
        )
    return None


def _described(tree: FiberTree, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "format": str(tree.format),
        "shape": list(tree.shape),
        "mode_order": list(tree.format.mode_order),
        "kinds": [level.kind.name.lower() for level in tree.format.levels],
        "paths": _paths(tree),
        "values": [float(value) for value in tree.values],
        "arrays": _arrays(tree),
    }


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
