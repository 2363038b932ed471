"""Running compiled regions: data in, graphs simulated one after the other, outputs checked."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import Program, move_tree
from fuseflow.errors import DeadlockError, FuseflowError, OutOfMemoryError, SimulationError
from fuseflow.fifos import fifo_report
from fuseflow.formats import FiberTree, Format, from_tiles, tiles_to_dense, to_tiles
from fuseflow.models import Model
from fuseflow.run_pace import RunPace
from fuseflow.sim import Machine, Observation, Progress, Result, Trace, TraceOptions, interpret, simulate
from fuseflow.sim.bottleneck import Bottleneck
from fuseflow.sim.lane_use import lane_use, lane_words
from fuseflow.sim.traffic import traffic
from fuseflow.watching import RunProgress as RunProgress
from fuseflow.watching import Watching, check_depths, depths_of

TOLERANCE = 1e-4
"""Largest relative error that :meth:`Run.check` accepts."""

COMPARED_AT_ONCE = 1 << 20
"""Values of a result that are compared at a time: the comparison itself needs little memory."""


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
    graph: Graph


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
    """A run. ``cycles`` is the sum over kernels, which run one after the other.

    ``moved`` names the tensors that layout statements made between kernels: this costs no cycles and no bytes. A run
    that was stopped is not ``complete``: it has no outputs, and its last kernel only what it had come to.
    Without ``values`` the numbers in ``outputs`` mean nothing.
    """

    model: Model
    schedule: str
    machine: Machine
    kernels: tuple[KernelRun, ...]
    outputs: dict[str, NDArray[np.float32]]
    compile_seconds: float
    simulate_seconds: float
    moved: tuple[str, ...] = ()
    again: Callable[[Watching], "Run"] | None = None
    values: bool = True
    _traces: dict[TraceOptions, Trace] = field(default_factory=dict, repr=False)

    @property
    def complete(self) -> bool:
        """Whether the run came to its end."""
        return all(kernel.result.complete for kernel in self.kernels)

    def trace(self, options: TraceOptions | None = None) -> Trace:
        """What every node did, interval by interval.

        A run that was not traced, or not with these ``options``, is simulated again, once, which gives the same cycles.
        SimulationError for such a run that was stopped: again it would not stop where it did.
        """
        parts = [kernel.result.trace for kernel in self.kernels if kernel.result.trace is not None]
        if options is None and len(parts) == len(self.kernels):
            return Trace(tuple(parts))
        chosen = options or TraceOptions()
        if chosen not in self._traces:
            remedy = "a run that may be stopped keeps its own trace with trace=TraceOptions() and the compiled engine"
            self._check_whole("traced" if options is None else "traced like this", remedy)
            made = self._repeated(Watching(trace=chosen))
            self._traces[chosen] = Trace(tuple(k.result.trace for k in made.kernels if k.result.trace is not None))
        return self._traces[chosen]

    def bottleneck(self) -> Bottleneck:
        """What decides the cycles, in numbers and in words; of a run that was stopped, of its cycles so far."""
        return self.trace().bottleneck()

    def fifo_report(self, search: bool = False, progress: Callable[[RunProgress], None] | None = None) -> pd.DataFrame:
        """A row per stream with its largest fill and the smallest depths that keep the cycle count (see ``fifos``).

        The run is simulated again, with ``search`` many times; ``progress`` is called as ``Compiled.simulate`` calls
        it, for each of these runs anew.
        """
        self._check_whole("measured", "simulate() to the end first")
        return fifo_report(self._repeated, self.cycles, search, progress)

    def _check_whole(self, done: str, remedy: str) -> None:
        """SimulationError for a run that was stopped and not ``done`` until then: once more it would be another one."""
        if not self.complete:
            raise SimulationError(
                f"this run was stopped at cycle {self.cycles} and was not {done} until then; once more it would "
                f"be another, whole run: {remedy}"
            )

    def _repeated(self, watching: Watching) -> "Run":
        if self.again is None:
            raise SimulationError("this run cannot be simulated again: it was not made by Compiled.simulate")
        return self.again(watching)

    def traffic(self) -> pd.DataFrame:
        """Accesses and bytes per kernel, tensor and level (columns kernel, tensor, level, reads, writes, bytes)."""
        frames = [traffic(kernel.graph, kernel.result).assign(kernel=kernel.name) for kernel in self.kernels]
        table = pd.concat(frames, ignore_index=True)
        return table[["kernel", *(name for name in table.columns if name != "kernel")]]

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
        """Compare the outputs with the model's reference; SimulationError if the run was stopped before its end."""
        if not self.complete:
            raise SimulationError(f"the run was stopped at cycle {self.cycles}, so it has no outputs to compare")
        if not self.values:
            raise SimulationError(
                f"{self.model.name} was simulated without values, so there is nothing to compare; simulate(values=True)"
            )
        error = 0.0
        for name, wanted in self.model.reference().items():
            error = max(error, relative_error(self.outputs[name], wanted))
        return Check(error, self.model.reference_name)

    def table(self) -> pd.DataFrame:
        """Counters of every node of every kernel (columns kernel and node, which the tables of a trace have, too)."""
        frames = [kernel.result.table().assign(kernel=kernel.name) for kernel in self.kernels]
        return pd.concat(frames, ignore_index=True)

    def lanes(self) -> pd.DataFrame:
        """How busy every parallel lane was: a row per lane with its busiest node; empty without lanes."""
        return lane_use((kernel.name, kernel.result.cycles, kernel.result.table()) for kernel in self.kernels)

    def __repr__(self) -> str:
        lines = [
            f"Run {self.model.name}, schedule {self.schedule}: {self.cycles:,} cycles in {len(self.kernels)} kernels",
            f"  {self.flops:,} FLOPs, {self.bytes:,} bytes, simulated in {self.simulate_seconds:.2f} s",
        ]
        if self.model.program.blocked:
            lines.append(f"  in tiles ({self.model.notes['blocks']}), units with {self.machine.tiles}")
        lines += [f"  {kernel.name}: {kernel.result.cycles:,} cycles" for kernel in self.kernels]
        lines += [f"  {kernel}: {line}" for kernel, line in lane_words(self.lanes()).items()]
        if self.moved:
            lines.append(f"  moved between kernels, at no cost: {', '.join(self.moved)}")
        return "\n".join(lines)


def relative_error(found: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Largest absolute difference over the largest absolute value of ``wanted``; infinite where only one is finite.

    Differences below the smallest normal float32 do not count: the graphs compute in single precision.
    """
    if found.shape != wanted.shape:
        return float("inf")
    largest = scale = 0.0
    flat_found, flat_wanted = found.reshape(-1), wanted.reshape(-1)
    for start in range(0, wanted.size, COMPARED_AT_ONCE):
        span = slice(start, start + COMPARED_AT_ONCE)
        one, other = flat_found[span].astype(np.float64), flat_wanted[span].astype(np.float64)
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0.0, np.abs(one - other))
        if not np.isfinite(difference).all():
            return float("inf")
        difference[difference < np.finfo(np.float32).tiny] = 0.0
        largest = max(largest, float(difference.max()))
        scale = max(scale, float(np.abs(other[np.isfinite(other)]).max(initial=0.0)))
    return largest if scale == 0.0 else largest / scale


def execute(
    model: Model,
    schedule: str,
    graphs: Sequence[Kernel],
    machine: Machine,
    engine: str,
    watching: Watching,
    compile_seconds: float,
    constants: Mapping[str, FiberTree],
    values: bool = True,
    keep: bool = True,
    work: Callable[[], Sequence[float]] = tuple,
) -> Run:
    """Simulate ``graphs`` in order, each result feeding the later ones in its format.

    Without ``keep`` a result is freed once nothing left to run reads it, and only the outputs of the program stay.

    Without ``values`` the compiled engine moves structure only (:func:`fuseflow.sim.simulate`). ``work`` tells the
    expected work of every kernel to the reports of progress (:class:`fuseflow.run_pace.RunPace`). Raises
    RunInterrupted, a KeyboardInterrupt that has the run so far, where it is interrupted.
    """
    if engine == "interpreter" and not values:
        raise SimulationError("the interpreter always carries values; use engine='compiled' with values=False")
    if engine not in ("compiled", "interpreter"):
        raise SimulationError(f"unknown engine {engine!r}; use 'compiled' or 'interpreter'")
    check_depths([(kernel.name, kernel.graph) for kernel in graphs], watching.depths)
    started = time.perf_counter()
    tensors: dict[str, FiberTree] = {**model.tensors, **constants}
    moved = move_stored(model.program, tensors)
    kernels: list[KernelRun] = []
    pace = RunPace(len(graphs), work)
    complete = True
    for number, kernel in enumerate(graphs):
        name, graph = kernel.name, kernel.graph
        begun = time.perf_counter()
        needed = {tensor: tensors[tensor] for tensor in graph.tensors}
        here = machine.with_depths(depths_of(name, graph, watching.depths))
        try:
            if engine == "compiled":
                report = None if watching.progress is None else _relay(watching.progress, pace, number, name)
                result = simulate(
                    graph, needed, here, progress=report, observation=_observe(name, watching), values=values
                )
            else:
                result = interpret(graph, needed, here, observation=_observe(name, watching))
        except DeadlockError as error:
            raise DeadlockError(f"kernel {name!r}: {error}", error.ring, error.suggestion, error.suffices) from error
        except FuseflowError as error:
            raise type(error)(f"kernel {name!r}: {error}") from error
        except MemoryError as error:
            raise OutOfMemoryError(
                f"kernel {name!r}: there is not enough memory for its run ({error}); take a smaller model or schedule, "
                "an ideal memory in place of a modelled one, or keep=False, which frees what no later kernel reads"
            ) from error
        complete = result.complete
        for produced in list(result.outputs) if complete else ():
            tree = result.outputs[produced] if keep else result.outputs.pop(produced)
            tensors[produced] = tree.convert(kernel.formats[produced])
        kernels.append(KernelRun(name, result, time.perf_counter() - begun, graph))
        if not complete:
            break
        moved += move_stored(model.program, tensors)
        if not keep:
            _free(model.program, tensors, graphs[number + 1 :])
    outputs = {name: _dense(model.program, name, tensors) for name in model.program.outputs} if complete else {}

    def again(other: Watching) -> Run:
        same = replace(other, depths={**watching.depths, **other.depths})
        return execute(
            model, schedule, graphs, machine, "compiled", same, compile_seconds, constants, keep=keep, work=work
        )

    seconds = time.perf_counter() - started
    run = Run(model, schedule, machine, tuple(kernels), outputs, compile_seconds, seconds, tuple(moved), again, values)
    if not complete and (watching.stop is None or not watching.stop()):
        raise RunInterrupted(run)
    return run


def _free(program: Program, tensors: dict[str, FiberTree], left: Sequence[Kernel]) -> None:
    """Remove from ``tensors`` what neither the kernels ``left``, nor a layout statement to come, nor the user reads."""
    waiting = [statement for statement in program.statements if statement.is_layout and statement.name not in tensors]
    wanted = {*program.outputs, *(name for kernel in left for name in kernel.graph.tensors)}
    wanted |= {access.tensor for statement in waiting for access in statement.operands}
    for name in [name for name in tensors if name not in wanted]:
        del tensors[name]


def _observe(kernel: str, watching: Watching) -> Observation:
    """What the engine has to look at; partial results are kept."""
    return Observation(
        watching.trace, watching.on_frame, kernel, watching.profile, watching.stop, keep_interrupted=True
    )


class RunInterrupted(KeyboardInterrupt):
    """The run was interrupted from the keyboard; ``run`` is what it had come to."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"interrupted at cycle {run.cycles}; the run so far is the attribute 'run' of this exception")
        self.run = run


def move_stored(program: Program, tensors: dict[str, FiberTree]) -> list[str]:
    """Add to ``tensors`` what layout statements make of those that are stored by now; the names of what is new."""
    done: list[str] = []
    for statement in program.statements:
        ready = statement.is_layout and statement.name not in tensors
        if ready and all(access.tensor in tensors for access in statement.operands):
            made = program.tensor(statement.name)
            parts = [_in_elements(program, access.tensor, tensors) for access in statement.operands]
            moved = move_tree(statement, parts, made.full_shape, made.format)
            tensors[made.name] = to_tiles(moved, made.tile, made.format) if program.blocked else moved
            done.append(made.name)
    return done


def _in_elements(program: Program, name: str, tensors: Mapping[str, FiberTree]) -> FiberTree:
    tree = tensors[name]
    return from_tiles(tree, program.tensor(name).tile, tree.format) if program.blocked else tree


def _dense(program: Program, name: str, tensors: Mapping[str, FiberTree]) -> NDArray[np.float32]:
    return tiles_to_dense(tensors[name], program.tensor(name).tile) if program.blocked else tensors[name].to_dense()


def _relay(
    progress: Callable[[RunProgress], None], pace: RunPace, kernel: int, name: str
) -> Callable[[Progress], None]:
    """Passes the engine's progress on as progress of the whole run."""

    def report(state: Progress) -> None:
        progress(pace.report(kernel, name, state))

    return report
