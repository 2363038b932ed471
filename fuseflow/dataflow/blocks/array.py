"""Array: from a reference to the value stored there."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import REF, VAL, PortSpec


@dataclass(frozen=True, slots=True)
class Array:
    """Reads the values of ``tensor``; ``N`` reads as 0 (simulator rule 3.11)."""

    tensor: str

    kind: ClassVar[str] = "array"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("ref", REF),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)
