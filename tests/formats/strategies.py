"""Random formats and arrays for hypothesis."""

from itertools import product

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fuseflow.errors import FormatError
from fuseflow.formats import Format


def _is_format(letters: str) -> bool:
    try:
        Format.parse(letters, len(letters))
    except FormatError:
        return False
    return True


LETTERS = {
    order: [text for text in map("".join, product("dcs", repeat=order)) if _is_format(text)] for order in range(5)
}


def formats(order: int) -> st.SearchStrategy[Format]:
    """Every legal format of an order."""
    modes = st.permutations(range(order)).map(lambda mode: ",".join(map(str, mode)))
    letters = st.sampled_from(LETTERS[order])
    return st.builds(lambda kinds, mode: Format.parse(f"{kinds}:{mode}" if order else kinds, order), letters, modes)


def arrays() -> st.SearchStrategy[NDArray[np.float32]]:
    """Small arrays of order 0 to 4 with many zeros; sizes 0 and 1 among them."""
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    values = st.sampled_from([0.0, 0.0, 0.0, 1.0, -2.5, 3e-30])
    return hnp.arrays(np.float32, shapes, elements=values)


@st.composite
def arrays_with_format(draw: st.DrawFn) -> tuple[NDArray[np.float32], Format]:
    array = draw(arrays())
    return array, draw(formats(array.ndim))
