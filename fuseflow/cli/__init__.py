"""The command ``fuseflow``: the library's jobs from a shell.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 2 bad input (one message, no traceback),
130 interrupted. What is heavy (PyTorch, numba, pandas, Altair) is loaded by the command that needs it.
"""

from typing import Annotated, Any

import typer

import fuseflow
from fuseflow.cli import data, explore, interop, paper, replay, run, show
from fuseflow.cli.failures import reported

__all__ = ["app"]


class _App(typer.Typer):
    """Also what fails outside of a command, such as printing the help, is one message."""

    @reported
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


app = _App(
    help="Fuse sparse deep learning into streaming dataflow graphs, and simulate them cycle for cycle.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command()(run.run)
app.command()(show.schedule)
app.command()(show.show)
app.command()(replay.replay)
app.command()(explore.explore)
app.command()(explore.results)
app.command()(paper.paper)
app.command()(interop.export)
app.command()(interop.simulate)
app.add_typer(data.app, name="data")
