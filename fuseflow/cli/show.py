"""``fuseflow show`` and ``fuseflow schedule``: what a model is compiled to, and under which schedule."""

from typing import TYPE_CHECKING, Annotated

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.inputs import check_request, make_model
from fuseflow.cli.options import PresetName, Request, View, for_model
from fuseflow.errors import ScheduleError
from fuseflow.schedule import PRESETS, named

if TYPE_CHECKING:
    from fuseflow.compiled import Compiled, CompiledRegion


@reported
@for_model
def schedule(
    request: Request,
    preset: PresetName = "partial",
) -> None:
    """Print a preset schedule as JSON, to change and to give to 'run --schedule'."""
    made = make_model(request)
    typer.echo(PRESETS[preset](made.program).to_json())


@reported
@for_model
def show(
    request: Request,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="NAME", help="A preset or the path of a .json schedule.")
    ] = "partial",
    region: Annotated[str | None, typer.Option("--region", metavar="NAME", help="Only this region.")] = None,
    what: Annotated[View, typer.Option("--what", help="What to print.")] = View.program,
) -> None:
    """Print a model's program, or the fusion tables or dataflow graphs it is compiled to."""
    check_request(request)
    chosen = named(schedule)
    made = make_model(request)
    if what is View.program and region is None:
        typer.echo(repr(made.program))
        return
    from fuseflow.compiled import compile

    compiled = compile(made, chosen(made.program))
    regions = compiled.regions if region is None else (_region(compiled, region),)
    if what in (View.dot, View.svg) and len(regions) > 1:
        raise ScheduleError(
            f"--what {what.value} draws one region, and schedule {compiled.schedule.name!r} has {len(regions)}; "
            f"choose one with --region: {', '.join(each.name for each in regions)}"
        )
    typer.echo("\n\n".join(_view(each, what) for each in regions))


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
