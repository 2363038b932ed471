"""``fuseflow run``: compile, simulate, check and compare."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.inputs import check_request, make_model, output_file, schedule_names
from fuseflow.cli.options import EngineName, Request, for_model, not_empty
from fuseflow.cli.output import print_comparison, progress_bar, write
from fuseflow.schedule import PRESETS, named


@reported
@for_model
def run(
    request: Request,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="LIST", help="Presets and paths of .json schedules, by commas.")
    ] = ",".join(PRESETS),
    json_path: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE", callback=not_empty, help="Write the rows as JSON; '-' is stdout, and only that."
        ),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="DIR", callback=not_empty, help="Write DIR/report.html, readable offline."),
    ] = None,
    engine: Annotated[EngineName, typer.Option("--engine", help="Simulator.")] = EngineName.compiled,
    tile: Annotated[
        int | None,
        typer.Option("--tile", metavar="N", min=1, help="Run every schedule also with values in tiles of N x N."),
    ] = None,
    equal_throughput: Annotated[
        bool,
        typer.Option(
            "--equal-throughput",
            help="Tiles at 1 multiply-add and 1 word per cycle; otherwise a lane per element, as in the paper.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Compile a model under several schedules, simulate and check them, and compare their cycles."""
    from fuseflow.report.folder import check_writable

    names = schedule_names(schedule)
    check_request(request)
    json_file = None if json_path in (None, "-") else output_file(Path(str(json_path)))
    if report is not None:
        check_writable(Path(report), "the report")
    makers = [named(name) for name in names]
    made = make_model(request)
    schedules = [make(made.program) for make in makers]
    if tile is not None:
        schedules += [replace(item.with_blocks(tile), name=f"{item.name} tile {tile}") for item in schedules]
    from fuseflow.comparison import compare
    from fuseflow.sim import Machine

    machine = Machine.equal_throughput() if equal_throughput else Machine()

    with progress_bar(quiet) as progress:
        comparison = compare(made, schedules, machine=machine, engine=engine.value, progress=progress)
    text = json.dumps(comparison.records(), indent=2, allow_nan=False) + "\n"
    if json_file is not None:
        write(json_file, text)
    page = None
    try:
        page = None if report is None else comparison.report(report)
    finally:  # a report that fails must not lose what was computed
        if json_path == "-":
            typer.echo(text, nl=False)
        print_comparison(comparison, made, page, to_stderr=json_path == "-")
