"""Level scanners: from a reference to the coordinates and references of the fiber below it."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, REF, PortSpec


class Missing(Enum):
    """What an ``N`` reference means to a block that nests streams.

    ``EMPTY_FIBER``: the operand has an empty fiber here, so exactly one stop token stands for it, as for any other
    fiber. ``FORWARD``: the reference simulator's rule, which passes ``N`` on and adds no stop (its joiners then abort).
    """

    EMPTY_FIBER = "empty fiber"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class LevelScanner:
    """Scans level ``level`` (0 = outermost) of ``tensor`` (simulator rules 3.1 and 3.2).

    ``extent`` is the size of a dense level; ``None`` says the level is compressed and read from storage. ``index`` is
    the index variable that the coordinates belong to.
    """

    tensor: str
    level: int
    index: str
    extent: int | None = None
    missing: Missing = Missing.EMPTY_FIBER

    kind: ClassVar[str] = "scan"

    @property
    def dense(self) -> bool:
        return self.extent is not None

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("ref", REF),)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("crd", CRD, 1), PortSpec("ref", REF, 1))
