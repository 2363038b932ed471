"""``fuseflow replay``: recorded cases of the reference simulator and of SAM, run through our units."""

from pathlib import Path
from typing import Annotated

import typer

from fuseflow.cli.failures import reported


@reported
def replay(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Case files, or folders that hold them.", show_default=False),
    ],
) -> None:
    """Replay recorded cases: every token, stamp, clock and counter must be as recorded. Exit code 1 if a case fails."""
    from fuseflow.sim.replay import replay as run_cases

    result = run_cases(paths)
    typer.echo(result.report())
    if not result.ok:
        raise typer.Exit(1)
