"""The controller and channels of the reference's memory model (rules 4.2 and 4.3)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.execute import wake
from fuseflow.sim.kernels.tokenwise.layout import (
    BANK_COUNT,
    BANK_RING_SIZE,
    BANKS,
    MEMORY_WORDS,
    NEXT_CYCLE,
    OFFSET,
    PORT_COUNT,
    PORT_COUNT_ASKED,
    PORT_LAST,
    PORT_MISSING,
    PORT_STAMP,
    PORT_UNIT,
    PORTS,
    UNBOUNDED,
    Memory,
)

BANK_CLOCK = 0
BANK_HEAD = 1
BANK_TAIL = 2
BANK_RING = 3
BANK_WORDS = 4


@kernel
def answer(m: Memory, port: int, stamp: int) -> None:
    """One answer reaches ``port`` at ``stamp``."""
    m[port + PORT_LAST] = max(m[port + PORT_LAST], stamp)
    m[port + PORT_MISSING] -= 1
    if m[port + PORT_MISSING] == 0:
        wake(m, m[port + PORT_UNIT])


@kernel
def step_controller(m: Memory) -> bool:
    """Do the next cycle in which there is an answer or a request; False if there is none.

    MEMORY_WORDS: start-up + latency, interval. A bank has a ring of BANK_RING_SIZE (stamp, port) pairs.
    """
    ring = m[BANK_RING_SIZE]
    ports, count, banks, channels = m[PORTS], m[PORT_COUNT], m[BANKS], m[BANK_COUNT]
    cycle = UNBOUNDED
    for number in range(count):
        port = m[ports + number]
        if m[port + PORT_COUNT_ASKED] > 0:
            cycle = min(cycle, m[port + PORT_STAMP])
    for number in range(channels):
        bank = banks + number * BANK_WORDS
        if m[bank + BANK_HEAD] != m[bank + BANK_TAIL]:
            cycle = min(cycle, m[m[bank + BANK_RING] + 2 * (m[bank + BANK_HEAD] % ring)])
    if cycle == UNBOUNDED:
        return False
    cycle = max(cycle, m[NEXT_CYCLE])
    for number in range(channels):
        bank = banks + number * BANK_WORDS
        at = m[bank + BANK_RING] + 2 * (m[bank + BANK_HEAD] % ring)
        if m[bank + BANK_HEAD] != m[bank + BANK_TAIL] and m[at] <= cycle:
            m[bank + BANK_HEAD] += 1
            answer(m, m[at + 1], cycle + 1)
    offset, asked = m[OFFSET], 0
    delay, interval = m[m[MEMORY_WORDS]], m[m[MEMORY_WORDS] + 1]
    for number in range(count):
        port = m[ports + number]
        if m[port + PORT_COUNT_ASKED] > 0 and m[port + PORT_STAMP] <= cycle:
            for _ in range(m[port + PORT_COUNT_ASKED]):
                offset = (offset + asked) % channels
                asked += 1
                bank = banks + offset * BANK_WORDS
                begin = max(m[bank + BANK_CLOCK], cycle + 1)
                at = m[bank + BANK_RING] + 2 * (m[bank + BANK_TAIL] % ring)
                m[at] = begin + delay
                m[at + 1] = port
                m[bank + BANK_TAIL] += 1
                m[bank + BANK_CLOCK] = begin + interval
            m[port + PORT_COUNT_ASKED] = 0
    m[OFFSET] = (offset + asked) % channels
    m[NEXT_CYCLE] = cycle + 1
    return True
