"""Sources and sinks (rule 1.7)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.layout import DONE, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import finish, send, take, tick

BATCH = 8


@kernel
def source(m: Memory, s: int, e: int) -> int:
    """P: place of the tokens, their number. R: the next one."""
    first = m[s + R]
    last = min(first + BATCH, m[s + P + 1])
    for number in range(first, last):
        e = send(m, s, e, 0, m[m[s + P] + number], 1)
        e = tick(m, e, 1)
    m[s + R] = last
    return finish(m, e) if last == m[s + P + 1] else e


@kernel
def sink(m: Memory, s: int, e: int) -> int:
    """One token a cycle."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        return take(m, s, e, 0)
    e = tick(m, e, 1)
    return finish(m, e) if m[m[s + TOKENS]] == DONE else take(m, s, e, 0)
