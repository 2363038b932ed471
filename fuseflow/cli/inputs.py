"""From what the user typed to models, schedules and places to write, checked before anything that takes long."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fuseflow.cli.options import Request
from fuseflow.errors import DataError, ScheduleError
from fuseflow.schedule import PRESETS

if TYPE_CHECKING:
    from fuseflow.models import Model


def make_model(request: Request) -> "Model":
    """The model that ``request`` asks for."""
    from fuseflow import models

    made: Model = getattr(models, request.name)(**request.arguments)
    return made


def check_request(request: Request) -> None:
    """DataError if ``request`` names a data set that there is not: before PyTorch is loaded."""
    name = request.arguments.get("dataset")
    if name is None:
        return
    if request.name == "sae":
        from fuseflow.datasets.images import find_images

        find_images(name)
    else:
        from fuseflow.datasets.catalog import find

        find(name)


def schedule_names(text: str) -> list[str]:
    """The parts of a list with commas; ScheduleError if there are none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ScheduleError(
            f"--schedule names no schedule; use {', '.join(PRESETS)} or paths of .json schedules, by commas"
        )
    return names


def output_file(path: Path) -> Path:
    """Where ``path`` leads, through links; DataError unless a file can be written there."""
    from fuseflow.formats.atomic import replaceable
    from fuseflow.report.folder import check_writable

    try:
        target = replaceable(path)
    except DataError as error:
        raise DataError(f"{error}, or - for stdout") from None
    if _is_stdout(target):
        raise DataError(f"cannot write {path}: stdout goes there already; give another file, or - for stdout")
    check_writable(target.parent, path.name)
    return target


def _is_stdout(path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, AttributeError):  # no such file yet, or a stdout that is no file, or none
        return False
