"""The twelve decoders of GPT-3 Small as kernels that run several times (compiler notes §6.4, experiments notes §3.4).

Every decoder of the stack does the same work, so a kernel is simulated once and counted as often as it runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fuseflow.errors import TraceError
from fuseflow.models.model import Model
from fuseflow.models.transformer import DECODERS, gpt3_kernel


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """``model``, to be compiled under the preset ``schedule``, runs ``times`` times in the stack."""

    model: Model
    schedule: str
    times: int


def gpt3_parts(configuration: str, decoders: int = DECODERS, **sizes: Any) -> tuple[Part, ...]:
    """What a stack of ``decoders`` decoders runs: ``"unfused"``, ``"partial"`` or ``"full"``.

    Unfused and partially fused, K1, K2 and K3 run once per decoder. Fully fused, the output of a decoder and the
    projection of the next are one kernel, K4, so that K1 and K3 run once at the ends. ``sizes`` are arguments of
    :func:`fuseflow.models.transformer.gpt3_kernel`.
    """
    if configuration not in ("unfused", "partial", "full"):
        raise TraceError(f'a configuration is one of unfused, partial and full, not "{configuration}"')
    if decoders < 1:
        raise TraceError(f"decoders must be at least 1, not {decoders}")
    times = {"K1": decoders, "K2": decoders, "K3": decoders}
    if configuration == "full":
        times = {"K1": 1, "K2": decoders, "K4": decoders - 1, "K3": 1}
    schedule = "unfused" if configuration == "unfused" else "full"
    return tuple(Part(gpt3_kernel(kernel, **sizes), schedule, count) for kernel, count in times.items() if count)


def total(parts: Iterable[Part], measure: Callable[[Part], int]) -> int:
    """Sum of ``measure`` over all parts, each as often as it runs: of cycles, nodes, bytes."""
    return sum(part.times * measure(part) for part in parts)
