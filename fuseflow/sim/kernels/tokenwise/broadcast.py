"""Broadcast (rule 1.7): no block of the graph, but what a port with several readers gets."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.layout import DONE, OUTPUTS, OUTS, PHASE, ROOM, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import finish, send, send_with, take, tick


@kernel
def broadcast(m: Memory, s: int, e: int) -> int:
    """P: cycles of a turn (0 in the reference). All outputs have room before any is sent to."""
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        for number in range(m[s + OUTPUTS]):
            m[e] = ROOM
            m[e + 1] = m[m[s + OUTS] + number]
            e += 4
        e = send(m, s, e, 0, token, 1)
        for number in range(1, m[s + OUTPUTS]):
            e = send_with(m, s, e, number, token, 1)
        if token == DONE:
            return finish(m, e)
        if m[s + P] > 0:
            e = tick(m, e, m[s + P])
    else:
        m[s + PHASE] = 1
    return take(m, s, e, 0)
