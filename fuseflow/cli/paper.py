"""``fuseflow paper``: the paper's figures and tables, from real runs."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.options import not_empty
from fuseflow.errors import DataError
from fuseflow.paper_modes import Configuration, Mode

if TYPE_CHECKING:
    from fuseflow.paper.runner import PaperProgress


@reported
def paper(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIGURE...]", help="fig4b, fig12, ..., table4, or all.", show_default="all"),
    ] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="How much is run.")] = Mode.FAST,
    out: Annotated[str, typer.Option("--out", metavar="DIR", callback=not_empty, help="Where all goes.")] = "out/paper",
    configuration: Annotated[
        Configuration,
        typer.Option("--configuration", help="The same work on both sides, or the choices of the published artifact."),
    ] = Configuration.SAME_WORK,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes; one uses several threads.")] = 1,
    memory: Annotated[float, typer.Option("--memory", metavar="GB", help="Memory of all processes together.")] = 12.0,
    store: Annotated[
        str | None,
        typer.Option(
            "--store", metavar="DIR", callback=not_empty, help="Folder of results.", show_default="DIR/results"
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            "--pictures", metavar="DIR", callback=not_empty, help="Folders imagenet, luna16, nih-cxr of images."
        ),
    ] = None,
    recompute: Annotated[
        str | None,
        typer.Option("--recompute", metavar="KEYS", callback=not_empty, help="Run these points again and compare."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="CSV", callback=not_empty, help="With --recompute: compare with the rows of this file."
        ),
    ] = None,
    stored: Annotated[
        bool,
        typer.Option(
            "--stored",
            help="Simulate no point of a figure: what is not stored is missing. Tables without points are computed.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Reproduce the paper's figures and tables: run them, check every output, compare with the published values.

    A run that was stopped goes on where it was: a finished point is never run again. Ends with 1 if a point is missing.
    """
    from fuseflow.explore.store import Store
    from fuseflow.paper import Request, chosen, reproduce
    from fuseflow.paper.recompute import recompute as again
    from fuseflow.paper.recompute import recompute_rows
    from fuseflow.paper.reproduce import STORE, finished

    experiments = chosen(names or [])
    request = Request(mode, configuration, pictures or "")
    if against is not None and (recompute is None or len(experiments) != 1):
        raise DataError("--against is for --recompute of one figure: name the figure and the keys of the row's points")
    if recompute is not None:
        keys = recompute.split(",")
        if against is not None:
            repeated = recompute_rows(experiments[0], request, Path(against), keys, memory)
        else:
            place = Store.at(store if store is not None else Path(out) / STORE)
            repeated = again(experiments, request, place, keys, memory)
        for item in repeated:
            typer.echo(f"{item.name}: {'; '.join(item.differences) or 'the same, bit for bit'}")
        if any(item.differences for item in repeated):
            raise typer.Exit(1)
        return
    place = Store.at(store if store is not None else Path(out) / STORE)
    started = time.monotonic()
    try:
        with _progress(quiet) as progress, _termination():
            found = reproduce(
                experiments, request, out, store=place, jobs=jobs, gigabytes=memory, run=not stored, progress=progress
            )
    except KeyboardInterrupt:
        done, total = finished(experiments, request, place)
        typer.echo(
            f"interrupted: {done} of {total} points are finished and kept in {place.folder}; the same command goes on "
            "from there",
            err=True,
        )
        raise typer.Exit(130) from None
    for made in found:
        judged = [verdict.agrees for verdict in made.verdicts if verdict.agrees is not None]
        missing = f", {made.missing} rows missing ({made.why_missing})" if made.missing else ""
        typer.echo(f"{made.experiment.name}: {sum(judged)} of {len(judged)} claims agree{missing}; {made.folder}")
    typer.echo(f"{Path(out) / 'comparison.md'} has all comparisons; {time.monotonic() - started:.0f} s")
    if not stored and any(made.missing for made in found):
        raise typer.Exit(1)


@contextmanager
def _termination() -> Iterator[None]:
    """Makes a request to terminate an interruption, so that workers end and what is kept is said."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # no other thread may handle signals
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(quiet: bool) -> Iterator["Callable[[PaperProgress], None] | None"]:
    """A callback that writes a line per finished point on stderr, with the time that is left."""
    if quiet:
        yield None
        return

    def move(state: "PaperProgress") -> None:
        left = "" if state.remaining_seconds is None else f", about {state.remaining_seconds:,.0f} s left"
        outcome = state.outcome
        what = "" if outcome is None else f"{outcome.cycles:,} cycles" if outcome.cycles else outcome.reason
        typer.echo(f"[{state.finished}/{state.total}{left}] {state.latest}: {what}", err=True)

    yield move
