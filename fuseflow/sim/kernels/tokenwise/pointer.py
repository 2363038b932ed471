"""The memory as the kernels see it: a pointer to int64 words.

An array as argument of every small function costs more than the functions do (it is seven words, and every signed index
is tested for wrapping around), so the entry points hand on a pointer. numba indexes it like an array.
"""

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.extending import intrinsic

from fuseflow.sim.kernels.tokenwise.layout import Memory

WORDS: Any = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba has no types


def _pointer(typing_context: Any, array: Any) -> Any:
    """Pointer to the first word of a contiguous int64 array."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (kind,) = signature.args
        return context.make_array(kind)(context, builder, arguments[0]).data

    return WORDS(array), code


def _behind(typing_context: Any, memory: Any, place: Any) -> Any:
    """Pointer to the word at ``place``."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return WORDS(memory, types.int64), code


pointer = cast(Callable[[Memory], Memory], intrinsic(_pointer))
behind = cast(Callable[[Memory, int], Memory], intrinsic(_behind))
