"""Joiners: co-iteration of the fibers that several operands have at one level."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, PortSpec
from fuseflow.dataflow.tokens import StreamKind


class Join(Enum):
    """Which coordinates survive."""

    INTERSECT = "intersect"
    UNION = "union"


@dataclass(frozen=True, slots=True)
class Joiner:
    """N-ary intersect or union at index variable ``index`` (simulator rules 3.8 and 3.9).

    Inputs ``crd0 in0 crd1 in1 ...``; ``payloads`` gives the kind (reference or value) of each ``in``. A union sends
    ``N`` on the output of a side that lacks the coordinate.
    """

    join: Join
    index: str
    payloads: tuple[StreamKind, ...]

    kind: ClassVar[str] = "joiner"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        return tuple(
            port
            for number, payload in enumerate(self.payloads)
            for port in (PortSpec(f"crd{number}", CRD), PortSpec(f"in{number}", (payload,)))
        )

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        outs = tuple(PortSpec(f"out{number}", (payload,)) for number, payload in enumerate(self.payloads))
        return (PortSpec("crd", CRD), *outs)
