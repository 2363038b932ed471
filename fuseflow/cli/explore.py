"""``fuseflow explore`` and ``fuseflow results``: search schedules, and list what was found before."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.inputs import check_request, make_model, output_file
from fuseflow.cli.options import Request, for_model, not_empty
from fuseflow.cli.output import write
from fuseflow.cli.spaces import read_blocks, read_formats, read_lanes, read_passes
from fuseflow.schedule import Scatter

if TYPE_CHECKING:
    import pandas as pd

    from fuseflow.sweeping import ExploreProgress

SHOWN = (
    "schedule", "variant", "blocks", "lanes", "machine", "status", "cycles", "estimated_cycles", "bytes",
    "nodes", "pareto", "reason",
)  # fmt: skip

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR",
        callback=not_empty,
        help="Folder of results (default: FUSEFLOW_RESULTS, or ./fuseflow-results).",
    ),
]
JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE", callback=not_empty, help="Write the rows as JSON; '-' is stdout, and only that."
    ),
]


@reported
@for_model
def explore(
    request: Request,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Simulations at most.")] = 8,
    partitions: Annotated[str, typer.Option("--partitions", help="contiguous or legal.")] = "contiguous",
    both_styles: Annotated[
        bool, typer.Option("--both-styles", help="Also iterate regions globally, as compilers without fusion do.")
    ] = False,
    orders: Annotated[int, typer.Option("--orders", min=1, help="Orders estimated per region.")] = 32,
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="TENSOR=A|B", help='Formats a stored tensor may have: --format "x=dd|cc".'),
    ] = None,
    associations: Annotated[
        bool, typer.Option("--associations", help="Also multiply chains in other orders (changes rounding).")
    ] = False,
    most_associations: Annotated[
        int, typer.Option("--most-associations", min=1, help="Orders of multiplication searched, the nearest first.")
    ] = 32,
    lanes: Annotated[
        list[str] | None,
        typer.Option("--lanes", metavar="INDEX=N,N", help='Lanes an index may be spread over: --lanes "k=1,4".'),
    ] = None,
    scatters: Annotated[
        list[Scatter] | None, typer.Option("--scatter", help="Ways of dealing to lanes.", show_default="round_robin")
    ] = None,
    most_lanes: Annotated[int, typer.Option("--most-lanes", min=1, help="Lanes of one region at most.")] = 64,
    passes: Annotated[
        list[str] | None,
        typer.Option("--passes", metavar="PASS,PASS", help='Also with these graph passes: --passes "locates,dead".'),
    ] = None,
    blocks: Annotated[
        list[str] | None,
        typer.Option(
            "--blocks",
            metavar="[NAME=]N,N",
            help='Block sizes of schedules, 0: without tiles; or by tensor or index: --blocks "A=0,16,8x16".',
            show_default="without",
        ),
    ] = None,
    equal_throughput: Annotated[
        bool, typer.Option("--equal-throughput", help="A tile takes a cycle per multiply-add and per word.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Local processes.", show_default="cores")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster, for --workers.")
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="No simulation starts later.")] = 15.0,
    candidate_minutes: Annotated[
        float | None, typer.Option("--candidate-minutes", min=0, help="Limit of one simulation.", show_default="none")
    ] = None,
    gigabytes: Annotated[
        float | None, typer.Option("--gigabytes", min=0, help="Memory of one worker.", show_default="its share")
    ] = None,
    store: StoreOption = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", callback=not_empty, help="Write the best schedule as JSON.")
    ] = None,
    json_path: JsonOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Estimate all schedules of a model, simulate the promising ones, and say which is best and why.

    A sweep that was stopped goes on where it was: finished results are in the store.
    """
    formats, spread, sizes = read_formats(format_ or []), read_lanes(lanes or []), read_blocks(blocks or [])
    sequences = read_passes(passes or [])
    check_request(request)
    files = [None if path in (None, "-") else output_file(Path(str(path))) for path in (json_path, save)]
    from fuseflow.exploration import explore as search
    from fuseflow.explore import Space
    from fuseflow.explored import found_schedule
    from fuseflow.schedule import Iteration
    from fuseflow.sim import Machine

    styles = tuple(Iteration) if both_styles else (Iteration.FACTORED,)
    space = Space(
        partitions,
        styles,
        formats,
        machines=(Machine.equal_throughput() if equal_throughput else Machine(),),
        associations=associations,
        orders=orders,
        lanes=spread,
        scatters=tuple(scatters or [Scatter.ROUND_ROBIN]),
        most_lanes=most_lanes,
        passes=sequences,
        blocks=sizes,
        most_associations=most_associations,
    )
    limit = float("inf") if candidate_minutes is None else 60 * candidate_minutes
    model = make_model(request)
    with _progress(quiet) as progress:
        found = search(
            model,
            space,
            budget,
            seconds=60 * minutes,
            workers=workers,
            client=cluster,
            store=store,
            seconds_per_candidate=limit,
            bytes_per_worker=None if gigabytes is None else 1e9 * gigabytes,
            progress=progress,
        )
    _print_rows(found, json_path, files[0])
    best = found_schedule(found)
    left = [f"blocks of {size}: left out, {reason}\n" for size, reason in found.refused_blocks]
    typer.echo(f"\n{''.join(left)}{found.space_size!r}\n{best!r}", err=json_path == "-")
    if files[1] is not None:
        best.save(files[1])


@reported
def results(store: StoreOption = None, json_path: JsonOption = None) -> None:
    """List every result in a store."""
    file = None if json_path in (None, "-") else output_file(Path(str(json_path)))
    from fuseflow.exploration import results as stored
    from fuseflow.explore import Store

    table = stored(store)
    if json_path is None and table.empty:
        typer.echo(f"no results in {Store.at(store).folder}")
        return
    _print_rows(_readable(table) if json_path is None else table, json_path, file)


def _readable(table: "pd.DataFrame") -> "pd.DataFrame":
    """Results for a terminal: local times instead of seconds since 1970, numbers with the digits that matter."""
    from datetime import datetime

    shown = table.drop(columns=["schedule_json", "key"])
    for name, form in (("max_rel_error", "{:.1e}"), ("seconds", "{:.2f}"), ("limit", "{:g}")):
        shown[name] = ["" if value is None or value != value else form.format(value) for value in shown[name]]
    shown["limit"] = ["" if text == "0" else text for text in shown["limit"]]
    shown["finished"] = [f"{datetime.fromtimestamp(value):%Y-%m-%d %H:%M:%S}" for value in shown["finished"]]
    return shown


def _print_rows(table: "pd.DataFrame", json_path: str | None, file: Path | None) -> None:
    text = json.dumps(_records(table), indent=2, allow_nan=False) + "\n"
    if file is not None:
        write(file, text)
    if json_path == "-":
        typer.echo(text, nl=False)
        return
    shown = table[[name for name in SHOWN if name in table.columns]] if "pareto" in table.columns else table
    plain = {"blocks": 0, "lanes": 1}  # what needs no column where no candidate has anything else
    kept = [name for name in shown.columns if not shown[name].astype(str).isin(["", str(plain.get(name, ""))]).all()]
    typer.echo(
        shown[kept].to_string(index=False, na_rep="-", float_format=lambda value: f"{value:,.0f}", max_colwidth=60)
    )


def _records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    import pandas as pd

    rows = table.astype(object).to_dict("records")
    return [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows]


@contextmanager
def _progress(quiet: bool) -> Iterator["Callable[[ExploreProgress], None] | None"]:
    """A callback that reports on stderr; None where nobody would see it."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    with console.status("estimating") as status:

        def move(state: "ExploreProgress") -> None:
            if state.latest is None:
                status.update(f"{state.phase}: {state.text}")
                return
            what = f"{state.latest.cycles:,} cycles" if state.latest.cycles else state.latest.status.value
            status.update(f"{state.finished} of {state.total} simulated; {state.text}: {what}")

        yield move
