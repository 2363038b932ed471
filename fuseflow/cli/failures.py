"""What goes wrong in a command, as one message and an exit code."""

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec, TextIO, TypeVar

import typer

from fuseflow.errors import FuseflowError

P = ParamSpec("P")
R = TypeVar("R")


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """``command`` with its failures as exit codes and one message on stderr."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = command(*args, **kwargs)
            if sys.stdout is not None:  # None if it was closed before we began
                sys.stdout.flush()
            return result
        except FuseflowError as error:
            message, code = f"error: {error}", 2
        except MemoryError:
            message, code = "error: there is not enough memory; take a smaller model, data set or hidden width", 2
        except KeyboardInterrupt:
            message, code = "interrupted", 130
        except BrokenPipeError:  # the reader has seen enough
            message, code = "", 0
        except OSError as error:
            what = f"cannot read or write {error.filename}" if error.filename else "input or output failed"
            message, code = f"error: {what}: {error.strerror or error}; check the disk and where the output goes", 2
        if message:
            with contextlib.suppress(OSError):
                typer.echo(message, err=True)
        for stream in (sys.stdout, sys.stderr):
            _settle(stream)
        raise SystemExit(code)

    return run


def _settle(stream: TextIO | None) -> None:
    """Write what is still buffered, or drop it if that fails: else it would fail once more when Python exits."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
