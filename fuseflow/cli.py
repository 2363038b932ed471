"""The command ``fuseflow``: the library's jobs from a shell.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 2 bad input (one message, no traceback),
130 interrupted. What is heavy (PyTorch, numba, pandas, Altair) is loaded by the command that needs it.
"""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

import fuseflow
from fuseflow.errors import FuseflowError, ScheduleError
from fuseflow.models import NAMES

if TYPE_CHECKING:
    from rich.table import Table

    from fuseflow.comparison import Comparison, ComparisonProgress
    from fuseflow.compiled import Compiled, CompiledRegion
    from fuseflow.models import Model
    from fuseflow.schedule import Schedule

P = ParamSpec("P")
R = TypeVar("R")


class EngineName(StrEnum):
    """Simulator: the fast one, or the plain one that it is tested against."""

    compiled = "compiled"
    interpreter = "interpreter"


class Features(StrEnum):
    """How node features are stored."""

    dense = "dense"
    csr = "csr"


class View(StrEnum):
    """What ``fuseflow show`` prints."""

    program = "program"
    table = "table"
    graph = "graph"
    dot = "dot"
    svg = "svg"


class Preset(StrEnum):
    """The three schedules of the paper."""

    unfused = "unfused"
    partial = "partial"
    full = "full"


def _known_model(name: str) -> str:
    if name not in NAMES:
        raise typer.BadParameter(f"unknown model {name!r}; use one of {', '.join(NAMES)}")
    return name


ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", callback=_known_model, help=f"One of: {', '.join(NAMES)}.", show_default=False)
]
Dataset = Annotated[str, typer.Option("--dataset", metavar="NAME", help="Data set; 'fuseflow data list' names them.")]
Hidden = Annotated[int, typer.Option("--hidden", min=1, help="Width of the hidden layer.")]
WeightSparsity = Annotated[float, typer.Option("--weight-sparsity", min=0, max=1, help="Fraction of zeros in weights.")]
FeaturesOption = Annotated[Features, typer.Option("--features", help="How node features are stored.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random weights.")]

app = typer.Typer(
    help="Fuse sparse deep learning into streaming dataflow graphs, and simulate them cycle for cycle.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Data sets: what there is, and getting the real ones.", no_args_is_help=True)
app.add_typer(data_app, name="data")


def _reported(command: Callable[P, R]) -> Callable[P, R]:
    """``command`` with its failures as exit codes and one message."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = command(*args, **kwargs)
            sys.stdout.flush()
            return result
        except FuseflowError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # The reader has seen enough. What is still buffered must not fail once more when Python exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return run


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fuseflow {fuseflow.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
@_reported
def run(
    model: ModelName,
    dataset: Dataset = "cora",
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="LIST", help="Presets and paths of .json schedules, by commas.")
    ] = "unfused,partial,full",
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the rows as JSON; '-' is stdout, and only that.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write DIR/report.html, readable offline.")
    ] = None,
    engine: Annotated[EngineName, typer.Option("--engine", help="Simulator.")] = EngineName.compiled,
    hidden: Hidden = 16,
    weight_sparsity: WeightSparsity = 0.6,
    features: FeaturesOption = Features.dense,
    seed: Seed = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Compile a model under several schedules, simulate and check them, and compare their cycles."""
    from fuseflow.report.folder import check_writable

    names = _schedule_names(schedule)
    _known_dataset(dataset)
    if json_path not in (None, "-"):
        _check_file(Path(str(json_path)))
    if report is not None:
        check_writable(report, "the report")
    schedules = [_preset_or_file(name) for name in names]
    made = _model(model, dataset, hidden, weight_sparsity, features, seed)
    from fuseflow.comparison import compare

    with _progress_bar(quiet) as progress:
        comparison = compare(made, schedules, engine=engine.value, progress=progress)
    text = json.dumps(comparison.records(), indent=2, allow_nan=False) + "\n"
    if json_path not in (None, "-"):
        _write(Path(str(json_path)), text)
    page = None
    try:
        page = None if report is None else comparison.report(report)
    finally:  # a report that fails must not lose what was computed
        if json_path == "-":
            typer.echo(text, nl=False)
        _print_comparison(comparison, made, page, to_stderr=json_path == "-")


@app.command("schedule")
@_reported
def schedule_command(
    model: ModelName,
    dataset: Dataset = "cora",
    preset: Annotated[Preset, typer.Option("--preset", help="Which of the paper's schedules.")] = Preset.partial,
    hidden: Hidden = 16,
    weight_sparsity: WeightSparsity = 0.6,
    features: FeaturesOption = Features.dense,
    seed: Seed = 0,
) -> None:
    """Print a preset schedule as JSON, to change and to give to 'run --schedule'."""
    from fuseflow.compiled import named_schedule

    made = _model(model, dataset, hidden, weight_sparsity, features, seed)
    typer.echo(named_schedule(made, preset.value).to_json())


@app.command()
@_reported
def show(
    model: ModelName,
    dataset: Dataset = "cora",
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="NAME", help="A preset or the path of a .json schedule.")
    ] = "partial",
    region: Annotated[str | None, typer.Option("--region", metavar="NAME", help="Only this region.")] = None,
    what: Annotated[View, typer.Option("--what", help="What to print.")] = View.program,
    hidden: Hidden = 16,
    weight_sparsity: WeightSparsity = 0.6,
    features: FeaturesOption = Features.dense,
    seed: Seed = 0,
) -> None:
    """Print a model's program, or the fusion tables or dataflow graphs it is compiled to."""
    _known_dataset(dataset)
    chosen = _preset_or_file(schedule)
    made = _model(model, dataset, hidden, weight_sparsity, features, seed)
    if what is View.program and region is None:
        typer.echo(repr(made.program))
        return
    from fuseflow.compiled import compile

    compiled = compile(made, chosen)
    regions = compiled.regions if region is None else (_region(compiled, region),)
    if what in (View.dot, View.svg) and len(regions) > 1:
        raise ScheduleError(
            f"--what {what.value} draws one region, and schedule {compiled.schedule.name!r} has {len(regions)}; "
            f"choose one with --region: {', '.join(each.name for each in regions)}"
        )
    typer.echo("\n\n".join(_view(each, what) for each in regions))


@data_app.command("list")
@_reported
def data_list() -> None:
    """List the data sets, and whether the real one or a synthetic twin would be used."""
    from rich.table import Table

    from fuseflow.datasets import table
    from fuseflow.datasets.graph import DIRECTORY_VARIABLE

    folder = os.environ.get(DIRECTORY_VARIABLE)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "nodes", "stored edges", "features", "classes", "licence", "used here"):
        shown.add_column(name, justify="right" if name in ("nodes", "stored edges", "features", "classes") else "left")
    for row in table().to_dict("records"):
        name = str(row["name"])
        real = name == "karate" or (folder is not None and os.path.lexists(Path(folder) / f"{name}.npz"))
        sizes = [f"{row[column]:,}" for column in ("nodes", "stored_edges", "features", "classes")]
        shown.add_row(name, *sizes, str(row["licence"]), "real data" if real else "synthetic twin")
    _print(shown)
    place = f"{DIRECTORY_VARIABLE} is {folder}" if folder else f"{DIRECTORY_VARIABLE} is not set"
    typer.echo(f"\n{place}; real graphs are read from NAME.npz in the folder that it names.")


@data_app.command("fetch")
@_reported
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set.", show_default=False)],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", envvar="FUSEFLOW_DATA", help="Folder for NAME.npz.")
    ] = Path("."),
) -> None:
    """Download a real data set from its publisher, check it and convert it."""
    from fuseflow.datasets import fetch
    from fuseflow.datasets.graph import DIRECTORY_VARIABLE

    path = fetch(name, to)
    typer.echo(f"wrote {path}; it is used when {DIRECTORY_VARIABLE} is {path.parent.resolve()}")


def _model(name: str, dataset: str, hidden: int, weight_sparsity: float, features: Features, seed: int) -> "Model":
    from fuseflow import models

    _known_dataset(dataset)
    made: Model = getattr(models, name)(
        dataset, hidden=hidden, weight_sparsity=weight_sparsity, features=features.value, seed=seed
    )
    return made


def _known_dataset(name: str) -> None:
    from fuseflow.datasets.catalog import find

    find(name)


def _schedule_names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ScheduleError(f"--schedule names no schedule; use {_presets()} or paths of .json schedules, by commas")
    return names


def _preset_or_file(name: str) -> "str | Schedule":
    """A preset is made when there is a model; a file is read now, before anything that takes long."""
    from fuseflow.schedule import Schedule

    if name in Preset.__members__:
        return name
    if name.endswith(".json"):
        return Schedule.load(name)
    raise ScheduleError(f"unknown schedule {name!r}; use one of {_presets()} or the path of a .json schedule")


def _presets() -> str:
    return ", ".join(Preset.__members__)


def _region(compiled: "Compiled", name: str) -> "CompiledRegion":
    for region in compiled.regions:
        if region.name == name:
            return region
    names = ", ".join(region.name for region in compiled.regions)
    raise ScheduleError(f"schedule {compiled.schedule.name!r} has no region {name!r}; its regions: {names}")


def _view(region: "CompiledRegion", what: View) -> str:
    from fuseflow.dataflow import to_dot, to_svg

    match what:
        case View.program:
            return repr(region.fused)
        case View.table:
            return f"{region.name}: order {' '.join(region.order)}\n{region.table!r}"
        case View.graph:
            return repr(region.graph)
        case View.dot:
            return to_dot(region.graph).rstrip()
        case View.svg:
            return to_svg(region.graph).rstrip()


@contextmanager
def _progress_bar(quiet: bool) -> Iterator["Callable[[ComparisonProgress], None] | None"]:
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


def _print_comparison(comparison: "Comparison", model: "Model", page: Path | None, *, to_stderr: bool) -> None:
    first = comparison.iloc[0]
    kind = "synthetic twin of " if model.synthetic else ""
    data = f"{kind}{model.dataset} ({'no real data found' if model.synthetic else 'real data'})"
    _print_wide_or_turned(*_comparison_cells(comparison), to_stderr=to_stderr)
    lines = ["", f"{model.name} on {data}, machine {first.machine}, errors against {model.reference_name}"]
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
    _print(table, to_stderr=to_stderr)


def _print(table: "Table", *, to_stderr: bool = False) -> None:
    """Print ``table``; into a file or pipe as wide as it is."""
    from rich.console import Console

    console = Console(stderr=to_stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, highlight=False, width=400)
    console.print(table)


def _check_file(path: Path) -> None:
    from fuseflow.errors import DataError
    from fuseflow.report.folder import check_writable

    if path.is_dir():
        raise DataError(f"cannot write {path}: it is a folder; give the path of a file")
    check_writable(path.parent, path.name)


def _write(path: Path, text: str) -> None:
    from fuseflow.formats.atomic import replacing
    from fuseflow.report.folder import make_folder

    make_folder(path.parent, path.name)
    with replacing(path) as file:
        file.write(text.encode())
