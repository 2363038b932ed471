"""``numba.njit`` as the kernels use it, typed so that a compiled function keeps its signature."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, keep the machine code on disk, release the interpreter lock while running.

    ``error_model="numpy"`` gives the arithmetic of numpy (division by zero is infinite, not an exception).
    """
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))
