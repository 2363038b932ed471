"""The workspace of an accumulator: an open-addressing table from key to sum, and the list of the keys in it.

A slot is two words, key (-1 for none) and bits of the sum; the number of slots is a power of two.
"""

from numpy import float32, int64, uint32

from fuseflow.sim.kernels.sorting import sort_words
from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.layout import COUNT, Memory, P, R
from fuseflow.sim.kernels.tokenwise.pointer import behind

sort_keys = kernel(sort_words)


@kernel
def place(m: Memory, table: int, size: int, key: int) -> int:
    """The slot of ``key``, or the free one where it belongs; Fibonacci hashing, as neighbouring keys come together."""
    mask = size - 1
    slot = ((key * 0x1E3779B97F4A7C15) >> 20) & mask
    while m[table + 2 * slot] != key and m[table + 2 * slot] != -1:
        slot = (slot + 1) & mask
    return table + 2 * slot


@kernel
def add(m: Memory, s: int, key: int, value: int) -> bool:
    """Add bits ``value`` at ``key``; False if the table must first be enlarged. P: table, size, list. R: keys in it."""
    table, size = m[s + P], m[s + P + 1]
    slot = place(m, table, size, key)
    if m[slot] == -1:
        if 2 * (m[s + R] + 1) > size:
            return False
        m[slot] = key
        m[slot + 1] = 0
        m[m[s + P + 2] + m[s + R]] = key
        m[s + R] += 1
    total = float32(uint32(m[slot + 1]).view(float32) + uint32(value).view(float32))
    m[slot + 1] = int64(float32(total).view(uint32))
    m[s + COUNT] += 1
    return True


@kernel
def sort(m: Memory, s: int) -> None:
    """Put the list of keys in order."""
    sort_keys(behind(m, m[s + P + 2]), m[s + R])


@kernel
def clear(m: Memory, s: int) -> None:
    """Forget all keys."""
    table, size, first, count = m[s + P], m[s + P + 1], m[s + P + 2], m[s + R]
    for number in range(count):
        m[first + number] = place(m, table, size, m[first + number])
    for number in range(count):
        m[m[first + number]] = -1
    m[s + R] = 0
