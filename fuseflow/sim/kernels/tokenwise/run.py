"""The entry points: the loop of the token core, and what the host does between two calls of it."""

from collections.abc import Callable

from fuseflow.sim.kernels.tokenwise._jit import DIGEST, entry
from fuseflow.sim.kernels.tokenwise.dram import step_dram
from fuseflow.sim.kernels.tokenwise.execute import run_ready
from fuseflow.sim.kernels.tokenwise.execute import wake as wake_unit
from fuseflow.sim.kernels.tokenwise.layout import (
    ASKING,
    DRAM,
    MEMORY_MODEL,
    QUEUE_HEAD,
    QUEUE_TAIL,
    SPACE_WAITS,
    Memory,
    P,
)
from fuseflow.sim.kernels.tokenwise.memory import step_controller
from fuseflow.sim.kernels.tokenwise.pointer import pointer
from fuseflow.sim.kernels.tokenwise.table import place


def _run(digest: int) -> Callable[[Memory, int], bool]:
    @entry
    def run(words: Memory, budget: int) -> bool:
        m = pointer(words)
        while budget > 0 and digest >= 0:
            budget -= run_ready(m, budget)
            if m[ASKING] != 0:
                return False
            if m[QUEUE_HEAD] == m[QUEUE_TAIL]:
                if m[MEMORY_MODEL] == 0 or m[SPACE_WAITS] > 0:
                    return False
                if not (step_dram(m) if m[MEMORY_MODEL] == DRAM else step_controller(m)):
                    return False
                budget -= 8
        return True

    return run


def _wake(digest: int) -> Callable[[Memory, int], None]:
    @entry
    def wake(words: Memory, unit: int) -> None:
        if digest >= 0:
            wake_unit(pointer(words), unit)

    return wake


def _refill(digest: int) -> Callable[[Memory, int, int, int], None]:
    @entry
    def refill(words: Memory, s: int, old_table: int, old_size: int) -> None:
        m = pointer(words)
        for slot in range(old_size if digest >= 0 else 0):
            key = m[old_table + 2 * slot]
            if key != -1:
                target = place(m, m[s + P], m[s + P + 1], key)
                m[target] = key
                m[target + 1] = m[old_table + 2 * slot + 1]

    return refill


run = _run(DIGEST)
"""Run for about ``budget`` operations; False if nothing can go on without the host (which includes the end)."""

wake = _wake(DIGEST)
"""Put a unit into the queue of those that can go on."""

refill = _refill(DIGEST)
"""Move the sums of a smaller table of an accumulator into its present one, which is empty."""
