"""DRAM with channels, banks and rows: the same as ``sim/blocks/dram``."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.execute import wake
from fuseflow.sim.kernels.tokenwise.layout import (
    BANKS,
    BURSTS,
    MEMORY_WORDS,
    PORT_ADDRESSES,
    PORT_COUNT,
    PORT_COUNT_ASKED,
    PORT_LAST,
    PORT_MISSING,
    PORT_STAMP,
    PORT_UNIT,
    PORTS,
    ROW_HITS,
    Memory,
)

# Parameters, at MEMORY_WORDS.
CHANNELS = 0
BANKS_PER_CHANNEL = 1
ROW_BURSTS = 2
BURST_BYTES = 3
BURST = 4
ACTIVATE = 5
PRECHARGE = 6
COLUMN = 7
ACTIVE = 8
TRANSPORT = 9
OUTSTANDING = 10
CHANNEL_STATE = 11
"""Place of the channels: cycle at which the bus is free, bursts so far, and a ring of OUTSTANDING ends of bursts."""

# A bank, at BANKS.
ROW = 0
READY = 1
ACTIVATED = 2
BANK_WORDS = 3


@kernel
def serve(m: Memory, burst: int, arrival: int) -> int:
    """The cycle in which a burst is complete that comes at ``arrival``."""
    w = m[MEMORY_WORDS]
    number, rest = burst % m[w + CHANNELS], burst // m[w + CHANNELS]
    row = rest // m[w + ROW_BURSTS]
    bank = m[BANKS] + BANK_WORDS * (number * m[w + BANKS_PER_CHANNEL] + row % m[w + BANKS_PER_CHANNEL])
    limit = m[w + OUTSTANDING]
    channel = m[w + CHANNEL_STATE] + (2 + limit) * number
    count = m[channel + 1]
    start = max(arrival, m[bank + READY])
    if count >= limit:
        start = max(start, m[channel + 2 + count % limit])
    m[BURSTS] += 1
    if m[bank + ROW] == row:
        m[ROW_HITS] += 1
    else:
        if m[bank + ROW] >= 0:
            start = max(start, m[bank + ACTIVATED] + m[w + ACTIVE]) + m[w + PRECHARGE]
        m[bank + ACTIVATED] = start
        m[bank + ROW] = row
        start += m[w + ACTIVATE]
    data: int = max(start + m[w + COLUMN], m[channel])
    m[bank + READY] = data - m[w + COLUMN] + m[w + BURST]
    m[channel] = data + m[w + BURST]
    m[channel + 2 + count % limit] = data + m[w + BURST]
    m[channel + 1] = count + 1
    end: int = data + m[w + BURST]
    return end


@kernel
def step_dram(m: Memory) -> bool:
    """Serve the request with the earliest stamp; False if there is none."""
    first, ports = -1, m[PORTS]
    for number in range(m[PORT_COUNT]):
        port = m[ports + number]
        if m[port + PORT_COUNT_ASKED] > 0 and (first < 0 or m[port + PORT_STAMP] < m[first + PORT_STAMP]):
            first = port
    if first < 0:
        return False
    w = m[MEMORY_WORDS]
    arrival, last = m[first + PORT_STAMP] + m[w + TRANSPORT], 0
    for number in range(m[first + PORT_COUNT_ASKED]):
        burst = m[first + PORT_ADDRESSES + number] // m[w + BURST_BYTES]
        fresh = True
        for before in range(number):
            fresh = fresh and m[first + PORT_ADDRESSES + before] // m[w + BURST_BYTES] != burst
        if fresh:
            last = max(last, serve(m, burst, arrival))
    m[first + PORT_LAST] = last + m[w + TRANSPORT]
    m[first + PORT_COUNT_ASKED] = 0
    m[first + PORT_MISSING] = 0
    wake(m, m[first + PORT_UNIT])
    return True
