"""Estimating a compiled model: what its kernels would cost, without running them."""

import time
from typing import Any

from fuseflow.compiled import Compiled, compile
from fuseflow.errors import DataError, ScheduleError
from fuseflow.estimate import Estimate, Statistics, estimate_kernel
from fuseflow.estimate.layout import moved_patterns
from fuseflow.estimate.patterns import Pattern
from fuseflow.models import Model
from fuseflow.schedule import Schedule
from fuseflow.sim import Machine


def estimate(
    source: Compiled | Model,
    schedule: Schedule | str | None = None,
    *,
    statistics: Statistics | None = None,
    machine: Machine | None = None,
) -> Estimate:
    """FLOPs, bytes and cycles of ``source`` (compiled, or a model and its ``schedule``) on ``machine``.

    ``statistics`` defaults to those of the model's data, which give the counts of coordinates exactly; pass
    ``Statistics.sizes(...)`` where there are no data, and the same object to several calls to share the work. Raises
    ScheduleError for an illegal schedule, SimulationError where a tensor has no statistics, and DataError for an
    intersection rate of an index that does not exist.
    """
    given: Any = source
    if not isinstance(given, Compiled | Model):
        raise ScheduleError(f"estimate takes a Compiled, or a model such as ff.models.gcn('cora'), not {given!r}")
    if isinstance(source, Compiled):
        if schedule is not None:
            raise ScheduleError("this model is compiled already; pass the Compiled alone, or the model and a schedule")
        compiled = source
    else:
        compiled = compile(source, "full" if schedule is None else schedule)
    known = statistics or Statistics.of(compiled.model.tensors)
    for tensor in compiled.model.program.inputs if compiled.schedule.blocks else ():
        shape = known.patterns[tensor.name].shape if tensor.name in known.patterns else tensor.shape
        if shape != tensor.shape:
            raise ScheduleError(
                f"the statistics have {tensor.name!r} of shape {shape}, but under schedule {compiled.schedule.name!r} "
                f"it is {tensor.shape} blocks; leave statistics out, or take Statistics.of(compiled.model.tensors)"
            )
    indices = {index for statement in compiled.model.program.computations for index in statement.indices}
    indices |= {index for region in compiled.regions for index in region.order}
    unknown = sorted(set(known.rates) - indices)
    if unknown:
        raise DataError(
            f"rates names index {unknown[0]!r}, which schedule {compiled.schedule.name!r} does not iterate; it has "
            f"{', '.join(sorted(indices))}"
        )
    used = machine or Machine()
    started = time.perf_counter()
    results: dict[str, Pattern] = dict(Statistics.of(compiled.constants).patterns)
    program = compiled.model.program
    results |= moved_patterns(program, {**known.patterns, **results}, known.counter)
    kernels = []
    for region in compiled.regions:
        found = estimate_kernel(region.graph, region.formats, known, used, results)
        results |= found.patterns
        program = program.stored_as(region.formats)
        results |= moved_patterns(program, {**known.patterns, **results}, known.counter)
        kernels.append(found.kernel)
    return Estimate(compiled.schedule.name, tuple(kernels), time.perf_counter() - started)
