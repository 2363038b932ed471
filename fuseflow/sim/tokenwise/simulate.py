"""A whole run on the token core."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic

from fuseflow.dataflow.graph import Graph
from fuseflow.formats import FiberTree
from fuseflow.sim.machine import Machine
from fuseflow.sim.observation import UNOBSERVED, Observation
from fuseflow.sim.progress import PROGRESS_INTERVAL_SECONDS, Progress
from fuseflow.sim.result import Result
from fuseflow.sim.tokenwise.core import TokenCore
from fuseflow.sim.tokenwise.running import SLICE_OPERATIONS
from fuseflow.sim.tokenwise.tracing import Tracer
from fuseflow.sim.tokenwise.watch import Watch, known_totals

FIRST_FRAME_SECONDS = 0.02


def simulate_tokenwise(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    *,
    record: bool = False,
    progress: Callable[[Progress], None] | None = None,
    observation: Observation = UNOBSERVED,
    slice_operations: int = SLICE_OPERATIONS,
) -> Result:
    """Run ``graph``, which is verified, to its end or until ``observation`` stops it."""
    tracing = observation.trace
    core = TokenCore(graph, tensors, machine, record=record, profile=observation.profile, watched=tracing is not None)
    watch = Watch(graph, tensors, core)
    tracer = None
    if tracing is not None:
        estimate = max(known_totals(graph, tensors).values(), default=1)
        tracer = Tracer(observation.kernel, core, tracing, estimate)
    last = monotonic() - PROGRESS_INTERVAL_SECONDS + FIRST_FRAME_SECONDS
    stopped = False
    try:
        while not stopped and core.step(slice_operations):
            stopped = observation.is_stopped()
            if monotonic() - last >= PROGRESS_INTERVAL_SECONDS:
                last = monotonic()
                if progress is not None:
                    progress(watch.progress())
                if tracer is not None and observation.on_frame is not None:
                    observation.send(tracer.frame())
    except KeyboardInterrupt:
        if not observation.keep_interrupted:
            raise
    result = core.result(record)
    if tracer is not None:
        observation.send(tracer.frame())
        result = replace(result, trace=tracer.trace())
    return result
