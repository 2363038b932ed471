"""Lanes across an edit: a region that was cut, merged or iterated otherwise keeps the lanes of indices it still has."""

from collections import Counter
from dataclasses import dataclass, replace

from fuseflow.compiled import Compiled, CompiledRegion, compile
from fuseflow.errors import FuseflowError
from fuseflow.fusion.views import Operation
from fuseflow.models import Model
from fuseflow.schedule import Lanes, Region, Schedule

Place = tuple[str, str, int]
"""A dimension of an access: the statement, the operand it reads (empty: its own result), and which one."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A schedule with the lanes that could be kept, compiled, and what was lost in words (empty: nothing)."""

    compiled: Compiled
    lost: str


def carry(model: Model, before: Compiled, after: Schedule) -> Carried:
    """``after``, an edit of ``before`` whose changed regions have no lanes yet, with those that are still legal.

    An index is followed through the statements that use it, for fusing may give it another name. Raises as
    :func:`fuseflow.compile` does if ``after`` is illegal as it is.
    """
    compiled, lost = compile(model, after), []
    for source in (each for each in before.regions if each.region.lanes):
        heirs = [number for number, region in enumerate(after.regions) if _inherits(region, source)]
        for lanes in source.region.lanes:
            reasons, kept = [], not heirs
            for number in heirs:
                name = after.regions[number].name
                index = _renamed(lanes.index, source, compiled[name])
                there = compiled.schedule.regions[number].lanes
                if index is None:
                    reasons.append(f"{name} has no index {lanes.index} to spread")
                elif any(each.index == index for each in there):
                    kept = True  # the regions that were merged spread the same index
                else:
                    wider = _with_lanes(compiled.schedule, number, (*there, replace(lanes, index=index)))
                    try:
                        compiled, kept = compile(model, wider), True
                    except FuseflowError as error:
                        reasons.append(str(error))
            # What one part of a cut region keeps is not lost, though the other part has no such index.
            if not kept:
                lost.append(f"{lanes.index} ×{lanes.count} of {source.name} ({', '.join(reasons)})")
    return Carried(compiled, f"lanes dropped: {'; '.join(lost)}" if lost else "")


def _inherits(region: Region, source: CompiledRegion) -> bool:
    return not region.lanes and not set(source.region.statements).isdisjoint(region.statements)


def _with_lanes(schedule: Schedule, number: int, lanes: tuple[Lanes, ...]) -> Schedule:
    regions = list(schedule.regions)
    regions[number] = replace(regions[number], lanes=lanes)
    return replace(schedule, regions=tuple(regions))


def _renamed(index: str, before: CompiledRegion, after: CompiledRegion) -> str | None:
    """What ``index`` of ``before`` is called in ``after``: the name that stands where it stood; ``None`` for none."""
    found: Counter[str] = Counter()
    now = _places(after)
    for place, names in _places(before).items():
        if index in names:
            found.update(now.get(place, ()))
    # Where a statement is there more than once, its indices have several names; the old one is then as good as any.
    best = max(found, key=lambda name: (found[name], name == index, name), default=None)
    return best if best in after.fused.extents else None


def _places(region: CompiledRegion) -> dict[Place, set[str]]:
    """Which index variables stand where, over all uses of a statement."""
    found: dict[Place, set[str]] = {}
    for view in region.fused.views:
        if isinstance(view, Operation):
            for operand, variables in (("", view.variables), *((each.name, each.variables) for each in view.operands)):
                for position, name in enumerate(variables):
                    found.setdefault((view.name, operand, position), set()).add(name)
    return found
