"""Locate: go straight to a coordinate of a dense level instead of scanning it."""

from dataclasses import dataclass
from typing import ClassVar

from fuseflow.dataflow.blocks.base import CRD, REF, PortSpec


@dataclass(frozen=True, slots=True)
class Locate:
    """Reference ``parent * extent + crd`` into dense level ``level`` of ``tensor`` (simulator rule 3.21, repaired).

    The reference block has no parent input and is right only where the parent position is always 0. With
    ``has_parent`` the block reads one parent reference per fiber of ``crd`` and holds it, as a repeater does.
    Outputs: ``located`` (into the dense level), ``ref`` and ``crd`` (passed through). Where the coordinates come from
    an accumulator, which has no references, they stand in for ``ref`` and the output ``ref`` has no reader.
    """

    tensor: str
    level: int
    index: str
    extent: int
    has_parent: bool = False

    kind: ClassVar[str] = "locate"

    @property
    def inputs(self) -> tuple[PortSpec, ...]:
        parent = (PortSpec("parent", REF, -1),) if self.has_parent else ()
        return (PortSpec("ref", (*REF, *CRD)), PortSpec("crd", CRD), *parent)

    @property
    def outputs(self) -> tuple[PortSpec, ...]:
        return (PortSpec("located", REF), PortSpec("ref", REF), PortSpec("crd", CRD))
