"""Sources: units that send tokens they hold (simulator rule 1.7, generator)."""

from collections.abc import Sequence

from fuseflow.dataflow.tokens import DONE, Token
from fuseflow.sim.blocks.base import Process, Unit

ROOT_TOKENS: tuple[Token, ...] = (0, DONE)
"""What a root sends: the reference of the whole tensor."""


def generate(unit: Unit, tokens: Sequence[Token]) -> Process:
    """Send ``tokens``, one a cycle."""
    (out,) = unit.outputs
    for token in tokens:
        yield from unit.send(out, token)
        unit.tick()
