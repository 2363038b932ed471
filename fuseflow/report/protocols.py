"""What a report needs of a comparison, of what was compiled and of what was run, by shape.

The classes themselves join all stages and so stand above this folder in the import order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from fuseflow.dataflow import Graph
from fuseflow.lowering import FusionTable
from fuseflow.models import Model
from fuseflow.schedule import Region, Schedule
from fuseflow.sim import Result


class CompiledRegionLike(Protocol):
    """A compiled fusion region."""

    @property
    def region(self) -> Region: ...
    @property
    def order(self) -> tuple[str, ...]: ...
    @property
    def table(self) -> FusionTable: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def recomputed(self) -> Mapping[str, tuple[str, ...]]: ...


class CompiledLike(Protocol):
    """A compiled model."""

    @property
    def model(self) -> Model: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def regions(self) -> Sequence[CompiledRegionLike]: ...


class KernelRunLike(Protocol):
    """One simulated region."""

    @property
    def name(self) -> str: ...
    @property
    def result(self) -> Result: ...


class RunLike(Protocol):
    """A finished run, its kernels in the order of the regions."""

    @property
    def kernels(self) -> Sequence[KernelRunLike]: ...
    def lanes(self) -> pd.DataFrame: ...


class ComparisonLike(Protocol):
    """A DataFrame of a comparison with what was compiled and run, by schedule."""

    @property
    def compiled(self) -> Mapping[str, CompiledLike]: ...
    @property
    def runs(self) -> Mapping[str, Any]: ...
