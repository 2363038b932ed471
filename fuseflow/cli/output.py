"""Tables and progress on the terminal, and files of results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from fuseflow.comparison import Comparison, ComparisonProgress
    from fuseflow.models import Model


@contextmanager
def progress_bar(quiet: bool) -> Iterator["Callable[[ComparisonProgress], None] | None"]:
    """A callback that moves a bar on stderr; None where nobody would see it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[clock]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("compiling", total=1.0, clock="")

        def move(state: "ComparisonProgress") -> None:
            at = state.run
            where = f"{state.schedule} ({state.index + 1} of {state.schedules})"
            if at is not None and at.kernels > 1:
                where += f", kernel {at.kernel + 1} of {at.kernels}"
            clock = f"{at.clock_cycles:,} cycles" if at is not None and at.clock_cycles else ""
            bar.update(task, completed=state.fraction, description=where, clock=clock)

        yield move


def print_comparison(comparison: "Comparison", model: "Model", page: Path | None, *, to_stderr: bool) -> None:
    """A row per schedule, and below it what the rows are about."""
    first = comparison.iloc[0]
    kind = "synthetic twin of " if model.synthetic else ""
    data = f"{kind}{model.dataset} ({'no real data found' if model.synthetic else 'real data'})"
    if not model.dataset:
        data = "random inputs"
    _print_wide_or_turned(*_comparison_cells(comparison), to_stderr=to_stderr)
    lines = ["", f"{model.name} on {data}, machine {first.machine}, errors against {model.reference_name}"]
    others = [machine for machine in dict.fromkeys(comparison.machine) if machine != first.machine]
    lines += [f"with tiles: machine {machine}" for machine in others]
    if comparison.reference_cycles.notna().any():
        from fuseflow.report.reference import REFERENCE_SOURCE

        lines.append(f"reference: {REFERENCE_SOURCE}; differences are explained in docs/fidelity.md")
    if page is not None:
        lines.append(f"report: {page}")
    typer.echo("\n".join(lines), err=to_stderr)


def _comparison_cells(comparison: "Comparison") -> tuple[list[str], list[list[str]]]:
    from fuseflow.report.tables import count, times

    head = [
        "schedule", "kernels", "nodes", "cycles", f"over {comparison.iloc[0].baseline}", "FLOPs", "bytes", "error",
        "reference", "ratio", "seconds",
    ]  # fmt: skip
    body = [
        [
            str(row.schedule), count(row.kernels), count(row.nodes), count(row.cycles), times(row.speedup),
            count(row.flops), count(row.bytes), f"{row.max_rel_error:.1e}", count(row.reference_cycles),
            times(row.ratio_to_reference), f"{row.compile_seconds + row.simulate_seconds:.2f}",
        ]
        for row in comparison.itertuples()
    ]  # fmt: skip
    return head, body


def _print_wide_or_turned(head: list[str], body: list[list[str]], *, to_stderr: bool) -> None:
    """A row per schedule where that fits the terminal, else a column per schedule: numbers are never cut."""
    from rich.console import Console
    from rich.table import Table

    grid = [head, *body]
    needed = sum(max(len(row[column]) for row in grid) + 2 for column in range(len(head)))
    console = Console(stderr=to_stderr)
    if console.is_terminal and needed > console.width:
        grid = [list(column) for column in zip(*grid, strict=True)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(grid[0]):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in grid[1:]:
        table.add_row(*row)
    print_table(table, to_stderr=to_stderr)


def print_table(table: "Table", *, to_stderr: bool = False) -> None:
    """Print ``table``; into a file or pipe as wide as it is."""
    from rich.console import Console

    console = Console(stderr=to_stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, highlight=False, width=400)
    console.print(table)


def write(path: Path, text: str) -> None:
    """Make the folder of ``path`` if need be and write the file, whole or not at all; DataError if that fails."""
    from fuseflow.formats.atomic import replacing
    from fuseflow.report.folder import make_folder

    make_folder(path.parent, path.name)
    with replacing(path) as file:
        file.write(text.encode())
