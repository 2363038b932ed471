"""Memory that is left, so that a simulation too large for it stops with a sentence and not with the kernel."""

import psutil

from fuseflow.errors import SimulationError

RESERVE_BYTES = 300 * 2**20
"""Memory that the notebook keeps for itself."""


def require_memory(reserve_bytes: int = RESERVE_BYTES) -> None:
    """SimulationError if less than ``reserve_bytes`` is available on this machine."""
    left = int(psutil.virtual_memory().available)
    if left < reserve_bytes:
        raise SimulationError(
            f"stopped: {left / 2**20:,.0f} MiB of memory are left and {reserve_bytes / 2**20:,.0f} MiB kept for the "
            "notebook. Use smaller data, cut the region, or close other notebooks"
        )
