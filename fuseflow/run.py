"""Running compiled regions: data in, graphs simulated one after the other, outputs checked."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import Program, move_tree
from fuseflow.errors import FuseflowError, SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.models import Model
from fuseflow.sim import Machine, Progress, Result, interpret, simulate

TOLERANCE = 1e-4
"""Largest relative error that :meth:`Run.check` accepts."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Where a run stands: kernel number ``kernel`` (from 0) of ``kernels``, called ``name``, its tokens and clock."""

    kernel: int
    kernels: int
    name: str
    tokens: int = 0
    clock_cycles: int = 0
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """One graph to run, and how its results are stored."""

    name: str
    graph: Graph
    formats: Mapping[str, Format]


@dataclass(frozen=True, slots=True)
class KernelRun:
    """One simulated region."""

    name: str
    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class Check:
    """Comparison with the reference.

    ``max_rel_error`` is the largest absolute difference over the largest absolute reference value, over all outputs.
    """

    max_rel_error: float
    reference: str
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        return self.max_rel_error <= self.tolerance

    def __repr__(self) -> str:
        verdict = "agrees" if self.passed else "DIFFERS"
        return f"{verdict} with {self.reference}: largest relative error {self.max_rel_error:.2e}"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A finished run. ``cycles`` is the sum over kernels, which run one after the other.

    ``moved`` names the tensors that layout statements made between kernels: this costs no cycles and no bytes.
    """

    model: Model
    schedule: str
    machine: Machine
    kernels: tuple[KernelRun, ...]
    outputs: dict[str, NDArray[np.float32]]
    compile_seconds: float
    simulate_seconds: float
    moved: tuple[str, ...] = ()

    @property
    def cycles(self) -> int:
        return sum(kernel.result.cycles for kernel in self.kernels)

    @property
    def flops(self) -> int:
        """Results of ALUs and values accumulated (simulator rule 5)."""
        return sum(kernel.result.flops for kernel in self.kernels)

    @property
    def bytes(self) -> int:
        """Bytes of values and coordinates read from and written to memory."""
        return sum(kernel.result.bytes for kernel in self.kernels)

    @property
    def nodes(self) -> int:
        return sum(len(kernel.result.nodes) for kernel in self.kernels)

    def check(self) -> Check:
        """Compare the outputs with the model's reference; SimulationError if they differ by more than the tolerance."""
        found = self.compare()
        if not found.passed:
            raise SimulationError(
                f"{self.model.name} under schedule {self.schedule!r} differs from {found.reference} by "
                f"{found.max_rel_error:.3g} relative, more than {found.tolerance:g}. If the values stay within the "
                "range of float32 and divide nothing by zero, this is a fault of fuseflow"
            )
        return found

    def compare(self) -> Check:
        """Compare the outputs with the model's reference."""
        error = 0.0
        for name, wanted in self.model.reference().items():
            error = max(error, relative_error(self.outputs[name], wanted))
        return Check(error, self.model.reference_name)

    def table(self) -> pd.DataFrame:
        """Counters of every node of every kernel."""
        frames = [kernel.result.table().assign(kernel=kernel.name) for kernel in self.kernels]
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        lines = [
            f"Run {self.model.name}, schedule {self.schedule}: {self.cycles:,} cycles in {len(self.kernels)} kernels",
            f"  {self.flops:,} FLOPs, {self.bytes:,} bytes, simulated in {self.simulate_seconds:.2f} s",
        ]
        lines += [f"  {kernel.name}: {kernel.result.cycles:,} cycles" for kernel in self.kernels]
        if self.moved:
            lines.append(f"  moved between kernels, at no cost: {', '.join(self.moved)}")
        return "\n".join(lines)


def relative_error(found: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Largest absolute difference over the largest absolute value of ``wanted``; infinite where only one is finite.

    Differences below the smallest normal float32 do not count: the graphs compute in single precision.
    """
    if found.shape != wanted.shape:
        return float("inf")
    if wanted.size == 0:
        return 0.0
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(found.astype(np.float64) - wanted.astype(np.float64)))
    if not np.isfinite(difference).all():
        return float("inf")
    difference[difference < np.finfo(np.float32).tiny] = 0.0
    finite = np.abs(wanted[np.isfinite(wanted)].astype(np.float64))
    scale = float(finite.max(initial=0.0))
    largest = float(difference.max())
    return largest if scale == 0.0 else largest / scale


def execute(
    model: Model,
    schedule: str,
    graphs: Sequence[Kernel],
    machine: Machine,
    engine: str,
    progress: Callable[[RunProgress], None] | None,
    compile_seconds: float,
    constants: Mapping[str, FiberTree],
) -> Run:
    """Simulate ``graphs`` in order, each result feeding the later ones in its format."""
    if engine not in ("compiled", "interpreter"):
        raise SimulationError(f"unknown engine {engine!r}; use 'compiled' or 'interpreter'")
    started = time.perf_counter()
    tensors: dict[str, FiberTree] = {**model.tensors, **constants}
    moved = move_stored(model.program, tensors)
    kernels: list[KernelRun] = []
    for number, kernel in enumerate(graphs):
        name, graph = kernel.name, kernel.graph
        begun = time.perf_counter()
        needed = {tensor: tensors[tensor] for tensor in graph.tensors}
        try:
            if engine == "compiled":
                report = None if progress is None else _relay(progress, number, len(graphs), name)
                result = simulate(graph, needed, machine, progress=report)
            else:
                result = interpret(graph, needed, machine)
        except FuseflowError as error:
            raise type(error)(f"kernel {name!r}: {error}") from error
        kernels.append(KernelRun(name, result, time.perf_counter() - begun))
        for produced, tree in result.outputs.items():
            tensors[produced] = tree.convert(kernel.formats[produced])
        moved += move_stored(model.program, tensors)
    outputs = {name: tensors[name].to_dense() for name in model.program.outputs}
    seconds = time.perf_counter() - started
    return Run(model, schedule, machine, tuple(kernels), outputs, compile_seconds, seconds, tuple(moved))


def move_stored(program: Program, tensors: dict[str, FiberTree]) -> list[str]:
    """Add to ``tensors`` what layout statements make of those that are stored by now; the names of what is new."""
    done: list[str] = []
    for statement in program.statements:
        ready = statement.is_layout and statement.name not in tensors
        if ready and all(access.tensor in tensors for access in statement.operands):
            made = program.tensor(statement.name)
            parts = [tensors[access.tensor] for access in statement.operands]
            tensors[made.name] = move_tree(statement, parts, made.shape, made.format)
            done.append(made.name)
    return done


def _relay(progress: Callable[[RunProgress], None], kernel: int, kernels: int, name: str) -> Callable[[Progress], None]:
    """Passes the engine's progress on as progress of the whole run."""

    def report(state: Progress) -> None:
        progress(RunProgress(kernel, kernels, name, state.tokens, state.clock_cycles, state.fraction))

    return report
