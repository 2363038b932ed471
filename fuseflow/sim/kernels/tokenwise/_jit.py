"""``numba.njit`` as the kernels of the token core use it.

numba looks only at the file of a function to see whether its machine code is stale, not at those of the functions it
calls. So no kernel is kept on disk but the entry points, which contain all others, and those are kept under the digest
of all files here: it is compiled into them as a constant, which numba takes into account.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as part of the entry points."""
    return cast(Callable[P, R], numba.njit(nogil=True, error_model="numpy")(function))


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use and keep the machine code; ``function`` must be a closure over :data:`DIGEST`."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def _digest() -> int:
    total = sha256()
    folder = Path(__file__).parent
    for path in (folder.parent / "sorting.py", *sorted(folder.glob("*.py"))):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return int.from_bytes(total.digest()[:7], "big")


DIGEST: Final = _digest()
