"""Writing files so that a reader sees the old file or the whole new one, never a part; and opening them to read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fuseflow.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes ``path`` when the block ends without an exception, and vanishes otherwise.

    Raises DataError if the folder does not exist or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; make the folder {path.parent} first") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner alone; give the usual permissions instead.
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}; check the disk and permissions") from error
    finally:
        part.unlink(missing_ok=True)


def existing(path: str | Path, kind: str) -> Path:
    """``path`` if it is a file that exists; DataError with the path as given otherwise."""
    file = Path(path)
    if not file.exists():
        raise DataError(f"cannot read {path}: there is no such file; give the path of a {kind} file")
    if not file.is_file():
        raise DataError(f"cannot read {path}: it is not a file; give the path of a {kind} file")
    return file


def _umask() -> int:
    """The umask of this process, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
