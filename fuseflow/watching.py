"""How a run is watched: progress, traces, depths of streams, the wish to stop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fuseflow.dataflow.graph import Graph, Port
from fuseflow.errors import SimulationError
from fuseflow.sim import TraceFrame, TraceOptions


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Where a run stands: kernel number ``kernel`` (from 0) of ``kernels``, called ``name``, its tokens and clock.

    ``fraction``, ``elapsed_seconds`` and ``remaining_seconds`` are those of this kernel; ``None`` while unknown. Those
    with ``run_`` are of the whole run, in which a kernel counts by the busy cycles that the estimate expects of all its
    nodes (:func:`fuseflow.estimate`); guesses, as what a busy cycle takes to simulate differs.
    """

    kernel: int
    kernels: int
    name: str
    tokens: int = 0
    clock_cycles: int = 0
    fraction: float | None = None
    elapsed_seconds: float = 0.0
    remaining_seconds: float | None = None
    run_fraction: float | None = None
    run_elapsed_seconds: float = 0.0
    run_remaining_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Watching:
    """``depths`` bounds streams of all kernels (``"node.port"``) or of one (``"kernel:node.port"``), ``trace`` says
    what to trace, ``on_frame`` gets the frames as they come, ``profile`` measures the fill of the streams, and ``stop``
    is asked now and then whether to end the run."""

    progress: Callable[[RunProgress], None] | None = None
    depths: Mapping[str, int] = field(default_factory=dict)
    trace: TraceOptions | None = None
    on_frame: Callable[[TraceFrame], None] | None = None
    profile: bool = False
    stop: Callable[[], bool] | None = None


def depths_of(kernel: str, graph: Graph, depths: Mapping[str, int]) -> dict[str, int]:
    """The part of ``depths`` that is about streams of ``graph``."""
    found: dict[str, int] = {}
    known = _streams(graph)
    for name, depth in depths.items():
        of, colon, stream = name.partition(":")
        if not colon:
            of, stream = kernel, name
        if of == kernel and stream in known:
            found[stream] = depth
    return found


def check_depths(kernels: Sequence[tuple[str, Graph]], depths: Mapping[str, int]) -> None:
    """SimulationError for a depth that no kernel has a stream for."""
    for name in depths:
        if not any(depths_of(kernel, graph, {name: 1}) for kernel, graph in kernels):
            names = ", ".join(kernel for kernel, _ in kernels)
            raise SimulationError(
                f"a depth is given for {name!r}, but no kernel has such a stream (kernels: {names}); a stream is "
                "'node.port', 'node.port -> reader.port', or one of them behind 'kernel:'"
            )


def _streams(graph: Graph) -> set[str]:
    """Names that a depth may have: ports that are read, and their single readers."""
    known: set[str] = set()
    for node in graph:
        for spec, port in zip(node.block.inputs, node.inputs, strict=True):
            known |= {str(port), f"{port} -> {Port(node.name, spec.name)}", f"{port} -> broadcast of {port}"}
        known.add(f"{node.name}.signal_out -> {node.name}.signal_in")
    return known
