"""FusionTableView: a fusion table whose cells are linked to the nodes that they became."""

from typing import Any

import traitlets

from fuseflow.compiled import CompiledRegion
from fuseflow.lowering.table import VALUE_ROW, FusionTable
from fuseflow_widgets.view import View, require


class FusionTableView(View):
    """One fusion table. ``selected`` names graph nodes, as in GraphView: link the two with :func:`link_selection`."""

    page = "table"
    table: Any = traitlets.Dict({"columns": [], "rows": [], "title": ""}).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, shown: FusionTable | CompiledRegion | None = None, **traits: Any) -> None:
        self._table: FusionTable | None = None
        super().__init__(**traits)
        if shown is not None:
            self.show(shown)

    def show(self, shown: FusionTable | CompiledRegion) -> None:
        """Show another table."""
        words = "the table of a region: ff.compile(model, 'partial').regions[0]"
        require(shown, (FusionTable, CompiledRegion), "FusionTableView", words)
        table = shown if isinstance(shown, FusionTable) else shown.table
        title = "" if isinstance(shown, FusionTable) else f"fusion table of {shown.name}, order {' '.join(shown.order)}"
        self._table = table
        self.table = {
            "title": title,
            "columns": list(table.columns),
            "rows": [
                {
                    "name": "value" if row == VALUE_ROW else row,
                    "cells": [
                        {"label": table[row, column].label, "nodes": list(table[row, column].nodes)}
                        for column in table.columns
                    ],
                }
                for row in table.rows
            ],
        }

    def as_text(self) -> str:
        return repr(self._table) if self._table is not None else "FusionTableView of nothing"


def link_selection(*views: Any) -> list[traitlets.link]:
    """Let views share ``selected``, every one with the first: what is selected in one is selected in all."""
    return [traitlets.link((views[0], "selected"), (view, "selected")) for view in views[1:]]
