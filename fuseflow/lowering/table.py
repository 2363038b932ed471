"""The fusion table (paper §6, Fig. 9 and 20): index variables by views, each cell the node that it became.

Rows are the dataflow order and, last, the values. A column is a view or an intermediate. A cell is a primitive that
exists in the graph, or a reference to another cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

VALUE_ROW = "val"


@dataclass(frozen=True, slots=True)
class Cell:
    """``label`` in the notation of the table; ``nodes`` are the graph nodes that the cell became.

    The first is the one whose output the cell stands for: a joiner before the scanner that feeds it, a reduction before
    the ALU whose results it folds. A mere reference to another cell has none.
    """

    label: str
    nodes: tuple[str, ...] = ()

    @property
    def node(self) -> str | None:
        """The node whose output the cell stands for."""
        return self.nodes[0] if self.nodes else None


@dataclass(frozen=True, slots=True)
class FusionTable:
    """``cells[row, column]`` for ``rows`` (index variables and ``val``) and ``columns`` (views)."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]

    def __getitem__(self, place: tuple[str, str]) -> Cell:
        return self.cells[place]

    def column(self, name: str) -> dict[str, Cell]:
        """The cells of one column by row."""
        return {row: self.cells[row, name] for row in self.rows}

    def cells_of(self, node: str) -> tuple[tuple[str, str], ...]:
        """Places (row, column) whose cells name ``node``."""
        return tuple(place for place, cell in self.cells.items() if node in cell.nodes)

    def __repr__(self) -> str:
        grid = [["", *self.columns]]
        grid += [[row, *(self.cells[row, column].label for column in self.columns)] for row in self.rows]
        widths = [max(len(line[number]) for line in grid) for number in range(len(grid[0]))]
        lines = [
            " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in grid
        ]
        return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])

    def _repr_html_(self) -> str:
        """Table for a notebook; a cell's nodes are its tooltip."""
        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "".join(
            f"<tr><th>{escape(row)}</th>"
            + "".join(
                f'<td title="{escape(" ".join(cell.nodes))}">{escape(cell.label)}</td>'
                for cell in (self.cells[row, column] for column in self.columns)
            )
            + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
