"""Cases of single primitives recorded from SAM's tests: the tokens of every asserted output, and what is in memory.

Functional only: SAM's cycles are another machine's. Ports and parameters are SAM's names, ``ports`` maps them to units.
"""

from collections.abc import Mapping, Sequence

from fuseflow.dataflow.tokens import EMPTY, Token, show_tokens
from fuseflow.errors import SimulationError
from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.known import compared_alike, known_difference
from fuseflow.sim.replay.ports import RUNS, Given, Seen, kind_of
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult, Engine, Outcome, same_token, shortened

MAX_SHOWN = 20
"""Tokens of a stream that a note shows."""


def replay_primitive(path: str, case: Record, engines: Sequence[Engine]) -> CaseResult:
    """Run one case of the schema of ``sam_primitives.json`` in each engine; DataError if it is not of that schema.

    It passes if all engines give what was recorded; notes of a failure begin with the engine.
    """
    name, primitive = case.get("id", str), case.get("primitive", str)
    inputs = _streams(case, "inputs")
    wanted = Seen(_streams(case, "outputs"), _memory(case))
    run_case = RUNS.get(primitive)
    if run_case is None:
        return CaseResult(path, name, Outcome.LEFT_OUT, (_unknown(primitive),))
    notes: list[str] = []
    reason: str | None = None
    for engine in engines:
        given = Given(case.inner("params", case.get("params", dict)), inputs, engine)
        known = known_difference(primitive, given, wanted)
        if known is Known.JOINER_EMPTY_COORDINATE:
            given = Given(given.params, without_empty(inputs), engine)
        try:
            seen = run_case(given)
        except SimulationError as fault:
            if "error" not in case.data:  # else SAM fails on it too, and ours says why
                notes.append(f"{engine.value}: does not run: {fault}")
            continue
        if seen is None:
            return CaseResult(path, name, Outcome.LEFT_OUT, (f"{primitive!r} is not run with these ports",))
        if not wanted.streams and not wanted.memory and "error" not in case.data:
            raise case.fault("has neither 'outputs' nor 'memory', so there is nothing to compare")
        found = _differences(seen, wanted)
        if found and known is not None:
            found = _differences(*compared_alike(known, given, seen, wanted))
            reason = reason if found else known.reason
        notes += [f"{engine.value}: {note}" for note in found]
    if notes:
        return CaseResult(path, name, Outcome.FAILED, shortened(notes))
    if reason is not None:
        return CaseResult(path, name, Outcome.KNOWN, (reason,))
    return CaseResult(path, name, Outcome.PASSED)


def _unknown(primitive: str) -> str:
    return f"no case of {primitive!r} can be run; those of {', '.join(sorted(RUNS))} can"


def without_empty(streams: Mapping[str, Sequence[Token]]) -> dict[str, list[Token]]:
    """Streams of a joiner without the places where a coordinate stream has ``N``, with the references there."""
    found: dict[str, list[Token]] = {}
    for port, tokens in streams.items():
        guide = streams.get("crd" + port.removeprefix("ref"), tokens) if port.startswith("ref") else tokens
        found[port] = [token for token, crd in zip(tokens, guide, strict=False) if crd is not EMPTY]
    return found


def _streams(case: Record, key: str) -> dict[str, list[Token]]:
    found: dict[str, list[Token]] = {}
    for port, words in case.option(key, dict, {}).items():
        if not isinstance(words, list):
            raise case.fault(f"{key} of port {port!r} must be a list of tokens, not {type(words).__name__}")
        found[port] = case.tokens(words, kind_of(port))
    return found


def _memory(case: Record) -> dict[str, list[float]]:
    memory = case.inner("memory", case.option("memory", dict, {}))
    return {name: memory.numbers(name) for name in memory.data}


def _differences(seen: Seen, wanted: Seen) -> list[str]:
    notes = []
    for port, tokens in wanted.streams.items():
        ours = seen.streams.get(port)
        if ours is None:
            notes.append(f"there is no output {port!r}; ours are {', '.join(seen.streams) or 'none'}")
        elif len(ours) != len(tokens) or not all(map(same_token, ours, tokens)):
            notes.append(f"output {port!r} is {_shown(ours)}, not {_shown(tokens)}")
    for name, stored in wanted.memory.items():
        held = seen.memory.get(name)
        if held is None:
            notes.append(f"there is no memory {name!r}; ours are {', '.join(seen.memory) or 'none'}")
        elif not _same_memory(held, stored, seen.fill):
            notes.append(f"memory {name!r} is {held[:MAX_SHOWN]}, not {stored[:MAX_SHOWN]}")
    return notes


def _same_memory(held: Sequence[float], stored: Sequence[float], fill: float) -> bool:
    """Equal; ``stored`` may go on with what the memory was filled with."""
    rest = stored[len(held) :]
    return len(held) <= len(stored) and all(map(same_token, held, stored)) and all(value == fill for value in rest)


def _shown(tokens: Sequence[Token]) -> str:
    text = show_tokens(tokens[:MAX_SHOWN])
    return text if len(tokens) <= MAX_SHOWN else f"{text} ... ({len(tokens)} tokens)"
