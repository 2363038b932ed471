"""What a run shows of itself: histograms over time, recorded tokens, fills of channels."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.layout import (
    BINS,
    EVENT_COUNT,
    EVENTS,
    FILL,
    MASK,
    NUMBER,
    ROW_COUNT,
    ROWS,
    SEND_CLOCKS,
    SENT,
    SETTLED,
    SHIFT,
    TAKE_CLOCKS,
    TAKE_HEAD,
    TAKE_MASK,
    TAKEN,
    WINDOW_END,
    WINDOW_START,
    Memory,
)


@kernel
def fold(m: Memory) -> None:
    """Make intervals twice as long: neighbouring words of every histogram row are added up."""
    bins = m[BINS]
    for row in range(m[ROW_COUNT]):
        first = m[ROWS] + row * bins
        for number in range(bins // 2):
            m[first + number] = m[first + 2 * number] + m[first + 2 * number + 1]
        for number in range(bins // 2, bins):
            m[first + number] = 0
    m[SHIFT] += 1


@kernel
def span(m: Memory, row: int, start: int, end: int) -> None:
    """Add the cycles from ``start`` to ``end`` to histogram row number ``row``, each to its interval."""
    if end <= start:
        return
    while (end - 1) >> m[SHIFT] >= m[BINS]:
        fold(m)
    shift = m[SHIFT]
    first = m[ROWS] + row * m[BINS]
    here, last = start >> shift, (end - 1) >> shift
    while here < last:
        border = (here + 1) << shift
        m[first + here] += border - start
        start = border
        here += 1
    m[first + last] += end - start


@kernel
def mark(m: Memory, row: int, cycle: int) -> None:
    """Count one token at ``cycle`` in histogram row number ``row``."""
    while cycle >> m[SHIFT] >= m[BINS]:
        fold(m)
    m[m[ROWS] + row * m[BINS] + (cycle >> m[SHIFT])] += 1


@kernel
def record(m: Memory, channel: int, token: int, stamp: int) -> None:
    """Keep a token that is sent, if its stamp lies in the window."""
    if m[WINDOW_START] <= stamp < m[WINDOW_END]:
        at = m[EVENTS] + 4 * m[EVENT_COUNT]
        m[at] = m[channel + NUMBER]
        m[at + 1] = token
        m[at + 2] = stamp
        m[at + 3] = m[channel + SENT]
        m[EVENT_COUNT] += 1


@kernel
def settle(m: Memory, channel: int) -> None:
    """Count the slots in use at each send of which all takes that matter are known.

    Send number k at clock c uses its own slot and those of the tokens whose credit, a cycle after their take, is not
    there at c: with the first of these being number j, k - j + 1 slots. Both clocks never fall, so j never does.
    """
    sends, mask = m[channel + SEND_CLOCKS], m[channel + MASK]
    takes, take_mask = m[channel + TAKE_CLOCKS], m[channel + TAKE_MASK]
    k, j = m[channel + SETTLED], m[channel + TAKE_HEAD]
    while k < m[channel + SENT]:
        clock = m[sends + (k & mask)]
        while j < m[channel + TAKEN] and m[takes + (j & take_mask)] < clock:
            j += 1
        if j == m[channel + TAKEN]:
            break
        m[channel + FILL] = max(m[channel + FILL], k - j + 1)
        k += 1
    m[channel + SETTLED] = k
    m[channel + TAKE_HEAD] = j
