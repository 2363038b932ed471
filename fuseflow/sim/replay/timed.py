"""Timed cases: every token and stamp of every stream, every final clock, elapsed cycles and metric sums."""

from collections.abc import Sequence

from fuseflow.dataflow.tokens import Token
from fuseflow.errors import SimulationError
from fuseflow.sim.channel import Stamped
from fuseflow.sim.interpret import run
from fuseflow.sim.replay.compiled import run_compiled
from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.operations import add_operation
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult, Engine, Outcome, same_token, shortened
from fuseflow.sim.replay.wiring import Ended, Ran, Wired, stream_kind, wire

WORDS = {"Repeat": "R", "Stop": "S", "Done": "D"}
"""How the files spell the tokens of a repeat signal."""


def replay_timed(path: str, case: Record, engines: Sequence[Engine]) -> CaseResult:
    """Run one case of the schema of simulator Appendix B in each engine; DataError if it is not of that schema."""
    name = case.get("name", str)
    wired = wire(case, add_operation)
    _check_whole(case, wired)
    expected = {
        stream: _expected(case, stream, entries) for stream, entries in case.option("streams", dict, {}).items()
    }
    notes: list[str] = []
    known = False
    for engine in engines:
        wired = wire(case, add_operation)  # a run uses it up: a deadlock, say, leaves deeper channels behind
        try:
            found = _interpreted(wired) if engine is Engine.INTERPRETER else run_compiled(case, wired)
        except SimulationError as fault:
            notes.append(f"{engine.value}: does not run: {fault}")
            continue
        differences: list[str] = []
        known = _compare(case, wired, found, expected, differences) or known
        notes += [f"{engine.value}: {each}" for each in differences]
    if notes:
        return CaseResult(path, name, Outcome.FAILED, shortened(notes))
    if known:
        return CaseResult(path, name, Outcome.KNOWN, (Known.MAXIMUM.reason,))
    return CaseResult(path, name, Outcome.PASSED)


def _check_whole(case: Record, wired: Wired) -> None:
    """DataError for a case that leaves out what is to be compared.

    Final clocks are there for all operations but broadcasts. Streams are there for all channels, or, in the large cases
    of the schema, field ``streams`` is absent.
    """
    for number, (operation, _) in enumerate(wired.by_operation):
        if operation.data["op"] != "broadcast" and not isinstance(operation.data.get("final_clock"), list):
            raise case.fault(f"ops[{number}] ({operation.data['op']}) has no list 'final_clock' to compare with")
    if "streams" not in case.data:
        return
    missing = [name for name in wired.channels if name not in case.get("streams", dict)]
    if missing:
        raise case.fault(
            f"'streams' leaves out {', '.join(missing[:5])} ({len(missing)} of {len(wired.channels)} streams); a case "
            "has all of them, or (as the large ones) no field 'streams'"
        )


def _interpreted(wired: Wired) -> Ran:
    run(wired.units, wired.controller, check_drained=False)  # the reference leaves tokens unread without a word
    ended = [[Ended(unit.clock, unit.counters) for unit in units] for _, units in wired.by_operation]
    return Ran({name: channel.record or [] for name, channel in wired.channels.items()}, ended)


def _compare(case: Record, wired: Wired, found: Ran, expected: dict[str, list[Stamped]], notes: list[str]) -> bool:
    """Add to ``notes`` what differs; True if the known difference in maxima was met."""
    known = _compare_streams(wired, found, expected, notes)
    for (operation, units), ended in zip(wired.by_operation, found.ended, strict=True):
        clocks = [each.clock for each in ended]
        if "final_clock" in operation.data and clocks != operation.get("final_clock", list):
            notes.append(f"final clock of {units[-1].name} is {clocks}, not {operation.data['final_clock']}")
    elapsed = max((each.clock for ended in found.ended for each in ended), default=0)
    if elapsed != case.get("elapsed", int):
        notes.append(f"elapsed cycles are {elapsed}, not {case.get('elapsed', int)}")
    sums = metric_sums(wired, found)
    if sums != case.get("metric_sums", dict):
        notes.append(f"metric sums are {sums}, not {case.get('metric_sums', dict)}")
    return known


def _expected(case: Record, stream: str, entries: object) -> list[Stamped]:
    kind = stream_kind(case, stream)
    if not isinstance(entries, list):
        raise case.fault(f"stream {stream!r} must be a list of [token, stamp]")
    found: list[Stamped] = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != 2 or type(entry[1]) is not int:
            raise case.fault(f"entry {place} of stream {stream!r} must be [token, stamp], not {entry!r:.60}")
        word, stamp = entry
        tokens = case.tokens([WORDS.get(str(word), str(word))], kind)
        if len(tokens) != 1:
            raise case.fault(f"entry {place} of stream {stream!r} must hold one token, not {word!r:.60}")
        found.append((tokens[0], stamp))
    return found


def _compare_streams(wired: Wired, found: Ran, expected: dict[str, list[Stamped]], notes: list[str]) -> bool:
    """Add to ``notes`` what differs; True if the known difference in maxima was met."""
    maxima = {
        wired.name_of(unit.outputs[0])
        for operation, (*_, unit) in wired.by_operation
        if operation.data["op"] == "reduce" and operation.data["reduce_type"] == "MAX"
    }
    below = _downstream(wired, maxima)
    # Streams of the maxima first: only if one of them differs may the values that depend on it.
    order = sorted(expected, key=lambda stream: stream not in maxima)
    known = False
    for stream in order:
        if stream not in wired.channels:
            notes.append(f"stream {stream} belongs to no operation")
            continue
        ours = found.streams[stream]
        if len(ours) != len(expected[stream]):
            notes.append(f"stream {stream} has {len(ours)} tokens, not {len(expected[stream])}")
        for place, ((token, stamp), (other, wanted)) in enumerate(zip(ours, expected[stream], strict=False)):
            if stamp != wanted:
                notes.append(f"stream {stream}, token {place}: {token!r}@{stamp}, not {other!r}@{wanted}")
            elif not same_token(token, other):
                numbers = isinstance(token, (int, float)) and isinstance(other, (int, float))
                if numbers and stream in maxima and place > 0 and same_token(_restarted(token), other):
                    known = True
                elif not (numbers and known and stream in below):
                    notes.append(f"stream {stream}, token {place}: {token!r}, not {other!r}, at {stamp}")
    return known


def _restarted(token: Token) -> Token:
    """What the reference has for our maximum ``token`` after the first fiber: it begins at 0."""
    return max(0.0, token) if isinstance(token, (int, float)) else token


def _downstream(wired: Wired, streams: set[str | None]) -> set[str]:
    """Value streams that depend on values of ``streams``."""
    names = {id(channel): name for name, channel in wired.channels.items()}
    reached = {name for name in streams if name is not None}
    grown = True
    while grown:
        grown = False
        for unit in wired.units:
            if any(names.get(id(channel)) in reached for channel in unit.inputs):
                outs = {names[id(channel)] for channel in unit.outputs if id(channel) in names}
                grown = grown or not outs <= reached
                reached |= outs
    return {name for name in reached if name.startswith("v")}


def metric_sums(wired: Wired, found: Ran) -> dict[str, int]:
    """The lines that the reference prints (simulator §5), summed; lines of which no unit is there are absent."""
    sums: dict[str, int] = {}
    for (operation, _), ended in zip(wired.by_operation, found.ended, strict=True):
        counters = ended[-1].counters
        lines: dict[str, int] = {}
        match operation.data["op"]:
            case "alu":
                lines = {"Op count": counters.flops}
            case "reduce" if operation.data["reduce_type"] != "MAX":
                lines = {"Reduce count": counters.flops}
            case "spacc" if operation.data["order"] == 1:
                lines = {"Reduce count": counters.flops}
            case "array":
                lines = {"Num reads": counters.values_read}
            case "fiber_lookup" if operation.data["format"] != "compressed":
                lines = {"Uncompressed Crd read count": counters.coordinates_scanned}
            case "fiber_write":
                lines = {"Crd write count (crd)": counters.coordinates_written}
                lines["Crd write count (seg)"] = counters.segments_written
            case "val_write":
                lines = {"Write count": counters.values_written}
        for line, count in lines.items():
            sums[line] = sums.get(line, 0) + count
    return sums
