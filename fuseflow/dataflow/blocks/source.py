"""Root: where a tensor's reference stream begins."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import REF, PortSpec


@dataclass(frozen=True, slots=True)
class Root:
    """Emits the root reference ``0 D`` of ``tensor`` (simulator rule 1.7, generator)."""

    tensor: str

    kind: ClassVar[str] = "root"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return ()

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("ref", REF),)
