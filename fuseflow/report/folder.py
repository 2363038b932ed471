"""Folders that results are written to: whether they can be, before long work; and making them."""

import tempfile
from pathlib import Path

from fuseflow.errors import DataError


def check_writable(folder: Path, what: str) -> None:
    """DataError unless ``folder`` can be written, or can be made; nothing is left behind.

    ``what`` names the thing to be written there, for the message.
    """
    try:
        present = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    except OSError as error:  # a name too long, or a folder that may not be looked into
        raise DataError(f"cannot write {what} into {folder}: {error.strerror}; give another folder") from None
    if not present.is_dir():
        raise DataError(f"cannot write {what} into {folder}: {present} is a file; give the path of a folder")
    try:
        with tempfile.TemporaryFile(dir=present):
            pass
    except OSError as error:
        raise DataError(
            f"cannot write {what} into {folder}: {present}: {error.strerror}; "
            "give a folder that you may write to, or change its permissions"
        ) from None


def make_folder(folder: Path, what: str) -> None:
    """Make ``folder`` and what is missing above it; DataError naming it if that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot write {what} into {folder}: {error.strerror}; give a folder that can be made and written"
        ) from None
