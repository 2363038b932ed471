"""Array: from a reference to the value stored there."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import REF, VAL, PortSpec
from fuseflow.dataflow.blocks.tile import Tile


@dataclass(frozen=True, slots=True)
class Array:
    """Reads the values of ``tensor``; ``N`` reads as 0 (simulator rule 3.11). ``tiles``: the one of a value."""

    tensor: str
    tiles: tuple[Tile, ...] = ()

    kind: ClassVar[str] = "array"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("ref", REF),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)
