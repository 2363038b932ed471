"""A hint to the processor to fetch memory that will be read soon: rows of a matrix that are visited out of order."""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir  # type: ignore[import-untyped]  # llvmlite has none
from numba import types
from numba.extending import intrinsic
from numpy import float32
from numpy.typing import NDArray

AHEAD: Final = 4
"""Records between the one whose values are fetched and the one that is summed (docs/performance.md)."""
FETCHED: Final = 512
"""Values of a record that are fetched; the processor sees the rest coming."""
LINE_VALUES: Final = 16
"""float32 values in a cache line."""


def _prefetch(typing_context: Any, array: Any, place: Any) -> Any:
    """Typing and code of ``prefetch``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = context.make_array(array)(context, builder, arguments[0]).data
        where = builder.bitcast(builder.gep(base, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [ir.IntType(8).as_pointer()], kind)
        builder.call(hint, [where, word(0), word(3), word(1)])  # for reading, into all caches, data
        return context.get_dummy_value()

    return types.void(array, place), generate


prefetch = cast(Callable[[NDArray[float32], int], None], intrinsic(_prefetch))
"""``prefetch(array, place)``: fetch the cache line of ``array[place]``, which need not exist."""
