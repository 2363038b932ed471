"""Array (rule 3.11)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import OUT_OF_VALUES
from fuseflow.sim.kernels.tokenwise.layout import COUNT, DONE, EMPTY, PHASE, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import fault_beyond, finish, send, take, tick


@kernel
def array(m: Memory, s: int, e: int) -> int:
    """P: values, their number, latency, interval, cycles of a token that is no reference."""
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        if token >= 0:
            if token >= m[s + P + 1]:
                return fault_beyond(m, s, OUT_OF_VALUES, 0, m[s + P + 1])
            e = send(m, s, e, 0, m[m[s + P] + token], m[s + P + 2])
            m[s + COUNT] += 1
            e = tick(m, e, m[s + P + 3])
        else:
            e = send(m, s, e, 0, 0 if token == EMPTY else token, 1)
            if token == DONE:
                return finish(m, e)
            e = tick(m, e, m[s + P + 4])
    else:
        m[s + PHASE] = 1
    return take(m, s, e, 0)
