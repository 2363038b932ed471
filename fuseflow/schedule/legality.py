"""Which schedules are legal for a program, and in which order their regions run.

A legal schedule holds every statement that computes once, no region reaches across a barrier, and no two regions wait
for each other. A region may have several results and need not be contiguous in program order.
"""

from fuseflow.einsum import Program
from fuseflow.errors import ScheduleError
from fuseflow.schedule.barriers import across, refuse_inside, sources
from fuseflow.schedule.schedule import Region, Schedule


def check(schedule: Schedule, program: Program) -> tuple[Region, ...]:
    """The regions of ``schedule`` in an order in which they can run; ScheduleError if it is illegal."""
    home = _homes(schedule, program)
    positions = {region.name: number for number, region in enumerate(schedule.regions)}
    import networkx as nx  # here, since the names of presets are needed where nothing heavy may be loaded

    waits: nx.DiGraph[str] = nx.DiGraph()
    waits.add_nodes_from(positions)
    for statement in program.computations:
        reader = home[statement.name]
        for access in statement.operands:
            for tensor, barrier in sources(program, access.tensor):
                if barrier is not None and home[tensor] == reader:
                    raise across(reader, tensor, barrier, statement.name)
                if home[tensor] != reader:
                    waits.add_edge(home[tensor], reader, tensor=access.tensor)
    try:
        order = list(nx.lexicographical_topological_sort(waits, key=positions.__getitem__))
    except nx.NetworkXUnfeasible:
        cycle = nx.find_cycle(waits)
        steps = "; ".join(
            f"{target} reads {waits.edges[source, target]['tensor']} of {source}" for source, target in cycle
        )
        raise ScheduleError(
            f"regions of schedule {schedule.name!r} wait for each other: {steps}. Merge them, or cut "
            "one of them between the two tensors."
        ) from None
    for region in schedule.regions:
        region_outputs(region, program)
    regions = {region.name: region for region in schedule.regions}
    return tuple(regions[name] for name in order)


def region_outputs(region: Region, program: Program) -> tuple[str, ...]:
    """The tensors of ``region`` that are needed outside of it, in program order; ScheduleError for dead statements."""
    inside = set(region.statements)
    needed: list[str] = []
    for statement in program.statements:
        name = statement.name
        if name not in inside:
            continue
        readers = program.readers(name)
        if name in program.outputs or any(reader.name not in inside for reader in readers):
            needed.append(name)
        elif not readers:
            raise ScheduleError(
                f"region {region.name!r}: nothing reads {name!r} and it is no result; remove the statement from the "
                "program"
            )
    return tuple(needed)


def _homes(schedule: Schedule, program: Program) -> dict[str, str]:
    known = {statement.name: statement for statement in program.statements}
    names = [statement.name for statement in program.computations]
    home: dict[str, str] = {}
    seen: set[str] = set()
    for region in schedule.regions:
        if region.name in seen:
            raise ScheduleError(f"schedule {schedule.name!r} has two regions called {region.name!r}; rename one")
        seen.add(region.name)
        if not region.statements:
            raise ScheduleError(f"region {region.name!r} of schedule {schedule.name!r} is empty; remove it")
        for name in region.statements:
            if name in known:
                refuse_inside(region.name, known[name])
            if name not in names:
                raise ScheduleError(
                    f"region {region.name!r} names statement {name!r}, which the program lacks; it has "
                    f"{', '.join(names)}"
                )
            if name in home:
                raise ScheduleError(
                    f"statement {name!r} is in region {home[name]!r} and in region {region.name!r}; keep one"
                )
            home[name] = region.name
    missing = [name for name in names if name not in home]
    if missing:
        raise ScheduleError(
            f"schedule {schedule.name!r} leaves out {', '.join(missing)}; put every statement into a region"
        )
    return home
