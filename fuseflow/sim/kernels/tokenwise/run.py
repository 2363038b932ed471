"""The loop of the token core: units while any can go on, then the memory's next cycle."""

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.tokenwise.execute import run_ready, wake
from fuseflow.sim.kernels.tokenwise.layout import (
    ASKING,
    MEMORY_MODEL,
    QUEUE_HEAD,
    QUEUE_TAIL,
    SPACE_WAITS,
    Memory,
)
from fuseflow.sim.kernels.tokenwise.memory import step_controller
from fuseflow.sim.kernels.tokenwise.observe import fold
from fuseflow.sim.kernels.tokenwise.pointer import pointer


@kernel
def wake_unit(words: Memory, unit: int) -> None:
    """:func:`execute.wake` for the host."""
    wake(pointer(words), unit)


@kernel
def halve(words: Memory) -> None:
    """:func:`observe.fold` for the host."""
    fold(pointer(words))


@kernel
def run(words: Memory, budget: int) -> bool:
    """Run for about ``budget`` operations; False if nothing can go on without the host (which includes the end)."""
    m = pointer(words)
    while budget > 0:
        budget -= run_ready(m, budget)
        if m[ASKING] != 0:
            return False
        if m[QUEUE_HEAD] == m[QUEUE_TAIL]:
            if m[MEMORY_MODEL] == 0 or m[SPACE_WAITS] > 0 or not step_controller(m):
                return False
            budget -= 8
    return True
