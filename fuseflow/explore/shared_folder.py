"""A temporary folder that one sweep and its workers share, and what killed sweeps left of theirs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fuseflow.errors import StoreError

PREFIX = "fuseflow-sweep-"
LOCK = "lock"


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A new folder, removed at the end. StoreError where there is no room for it.

    A sweep that is killed cannot remove its folder, so the next one does: a sweep holds a lock on a file in its folder
    for as long as it lives, whatever ends it.
    """
    _remove_stale()
    with on_disk():
        made = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    with made as name:
        folder = Path(name)
        with on_disk():
            lock = (folder / "new").open("w")
        with lock:
            _lock(lock)
            (folder / "new").rename(folder / LOCK)  # locked before anybody can find it
            yield folder


@contextmanager
def on_disk() -> Iterator[None]:
    """Turns a failure to write what workers share into StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write the model for the workers to {tempfile.gettempdir()}: {error.strerror or error}; free some "
            "space there, or name another folder in TMPDIR. What was finished before is safe"
        ) from None


def _remove_stale() -> None:
    """Remove the folders of sweeps of this user that live no more."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):
                if folder.stat().st_uid == os.getuid():
                    with (folder / LOCK).open("r+") as lock:
                        _lock(lock)
                        shutil.rmtree(folder, ignore_errors=True)


def _lock(file: IO[str]) -> None:
    """Lock ``file`` for this process; OSError if another one has, or where the system knows no such locks."""
    try:
        import fcntl
    except ImportError:
        raise OSError("no locks on this system") from None
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
