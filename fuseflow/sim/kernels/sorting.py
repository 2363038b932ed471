"""Sorting without ``np.sort`` and ``np.argsort``.

numba makes the two from functions of one name. Machine code of both that was compiled in different processes and kept
on disk can carry the same symbols, and a process that loads both then runs one for the other, without a word.
"""

from numpy import int64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel


def sort_by_key(places: NDArray[int64], count: int, keys: NDArray[int64]) -> None:
    """Put the first ``count`` of ``places`` in the order of the keys they point at (heapsort: no worst case)."""
    end = count
    root = count // 2
    while end > 1:
        if root > 0:
            root -= 1
        else:
            end -= 1
            places[0], places[end] = places[end], places[0]
        item = places[root]
        key = keys[item]
        hole = root
        child = 2 * hole + 1
        while child < end:
            if child + 1 < end and keys[places[child + 1]] > keys[places[child]]:
                child += 1
            if keys[places[child]] <= key:
                break
            places[hole] = places[child]
            hole = child
            child = 2 * hole + 1
        places[hole] = item


def sort_words(words: NDArray[int64], count: int) -> None:
    """Put the first ``count`` of ``words`` in order (heapsort)."""
    end = count
    root = count // 2
    while end > 1:
        if root > 0:
            root -= 1
        else:
            end -= 1
            words[0], words[end] = words[end], words[0]
        item = words[root]
        hole = root
        child = 2 * hole + 1
        while child < end:
            if child + 1 < end and words[child + 1] > words[child]:
                child += 1
            if words[child] <= item:
                break
            words[hole] = words[child]
            hole = child
            child = 2 * hole + 1
        words[hole] = item


sort_places = kernel(sort_by_key)
sort = kernel(sort_words)
