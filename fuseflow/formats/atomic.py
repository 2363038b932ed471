"""Writing files so that a reader sees the old file or the whole new one, never a part; and opening them to read."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fuseflow.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes ``path`` when the block ends without an exception, and vanishes otherwise.

    Links are followed. Raises DataError if ``path`` is something other than a file, and if the folder does not exist
    or cannot be written.
    """
    target = replaceable(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".fuseflow-", suffix=".part", dir=target.parent)
    except FileNotFoundError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; make the folder {target.parent} first") from error
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; check the path and its permissions") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for the owner alone; give the usual permissions instead.
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}; check the disk and permissions") from error
    finally:
        part.unlink(missing_ok=True)


def replaceable(path: Path) -> Path:
    """Where ``path`` leads, through links; DataError unless there is a file, or nothing yet.

    A device or a pipe would turn into a file if it were replaced.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = stat.S_IFREG
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; give the path of a file") from error
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS.items() if test(mode)), "a special file")
        raise DataError(f"cannot write {path}: it is {kind}; give the path of a file")
    return Path(os.path.realpath(path))


_KINDS: dict[Callable[[int], bool], str] = {
    stat.S_ISDIR: "a folder",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
}


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
