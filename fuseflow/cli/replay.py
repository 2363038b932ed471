"""``fuseflow replay``: recorded cases of the reference simulator and of SAM, run through our units."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fuseflow.cli.failures import reported


class ReplayEngine(Enum):
    """Choices of ``--engine``."""

    BOTH = "both"
    INTERPRETER = "interpreter"
    COMPILED = "compiled"


@reported
def replay(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Case files, or folders that hold them.", show_default=False),
    ],
    engine: Annotated[
        ReplayEngine,
        typer.Option(
            help="What runs timed cases and primitives: interpreter, compiled, or both, which then have to agree."
        ),
    ] = ReplayEngine.BOTH,
) -> None:
    """Replay recorded cases: every token, stamp, clock and counter must be as recorded. Exit code 1 if a case fails or
    cannot be run.
    """
    from fuseflow.sim.replay import Engine
    from fuseflow.sim.replay import replay as run_cases

    engines = tuple(Engine) if engine is ReplayEngine.BOTH else (Engine(engine.value),)
    result = run_cases(paths, engines=engines)
    typer.echo(result.report())
    if not result.ok:
        raise typer.Exit(1)
