"""Root and broadcast."""

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import DONE, FIRST_TOKEN, Words


@kernel
def broadcast(stream: Words, start: int) -> None:
    """Broadcast unit in place (rule 1.7): restamp the tokens from ``start`` on; the clock stays in the stream."""
    clock = stream[1]
    for at in range(FIRST_TOKEN + 2 * start + 1, FIRST_TOKEN + 2 * stream[0] + 1, 2):
        clock = max(clock, stream[at])
        stream[at] = clock + 1
    stream[1] = clock


def root(out: Words) -> int:
    """Write ``0 D`` with the generator's stamps (rule 1.7); its final clock, also the cycles it was busy."""
    out[FIRST_TOKEN : FIRST_TOKEN + 4] = (0, 1, DONE, 2)
    out[0] = 2
    return 2
