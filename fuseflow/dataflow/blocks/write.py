"""Writers: where the coordinates and values of a result leave the graph."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, VAL, PortSpec
from fuseflow.dataflow.blocks.tile import Tile


@dataclass(frozen=True, slots=True)
class CrdWriter:
    """Writes level ``level`` (0 = outermost) of result ``tensor`` as a compressed level (simulator rule 3.4)."""

    tensor: str
    level: int
    index: str

    kind: ClassVar[str] = "write_crd"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("crd", CRD),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class ValWriter:
    """Writes the values of result ``tensor`` (simulator rule 3.5).

    ``tiles``, where values are tiles: as they come, and as they are stored (other order of axes).
    """

    tensor: str
    tiles: tuple[Tile, ...] = ()

    kind: ClassVar[str] = "write_val"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("val", VAL),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return ()
