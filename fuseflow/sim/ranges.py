"""Ranges of the numbers that a machine is made of."""

from collections.abc import Mapping
from numbers import Real

from fuseflow.errors import SimulationError

MOST = 1 << 31
"""Largest number of cycles of one step of a unit (and of banks, bytes, ...), so that clocks fit into 64 bits."""


def check_ranges(what: str, owner: object, least: Mapping[str, int]) -> None:
    """SimulationError for a field of ``owner`` that is not from its ``least`` to :data:`MOST`.

    A field that is no number at all is left to ``given``, which knows what it has to be.
    """
    for name, low in least.items():
        value = getattr(owner, name)
        is_number = isinstance(value, Real)
        if is_number and not low <= value <= MOST:
            raise SimulationError(f"{name} of {what} must be from {low} to {MOST}, not {value}")
