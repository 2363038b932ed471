"""Replay of recorded cases: the reference simulator's, to the cycle, and SAM's primitives and expressions, in function.

``replay([folder]).report()`` ends with ``N passed, M failed``. Differences that are wanted stand in
``differences.json`` with their reasons; a case that has one passes only if all else agrees.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.expressions import replay_expression
from fuseflow.sim.replay.files import Schema, find_files
from fuseflow.sim.replay.primitives import replay_primitive
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult, Engine, Outcome, Replay
from fuseflow.sim.replay.timed import replay_timed


def replay(
    paths: Iterable[str | Path],
    progress: Callable[[CaseResult], None] | None = None,
    engines: Sequence[Engine] = tuple(Engine),
) -> Replay:
    """Run every case of the case files at ``paths``; folders are searched for them.

    Timed cases and those of primitives run in each of ``engines`` and pass if all of them agree with what was recorded.
    Cases of expressions run through the compiler and both engines, whatever is asked for.

    ``progress`` is called after each case. Raises DataError, with path and reason, for a file that is corrupt, of no
    known schema, or not there.
    """
    results: list[CaseResult] = []
    for path, schema, cases in find_files(paths):
        run_case = _run_of(schema, engines)
        for case in cases:
            results.append(run_case(str(path), case))
            if progress is not None:
                progress(results[-1])
    return Replay(tuple(results))


def _run_of(schema: Schema, engines: Sequence[Engine]) -> Callable[[str, Record], CaseResult]:
    match schema:
        case Schema.TIMED:
            return partial(replay_timed, engines=engines)
        case Schema.PRIMITIVES:
            return partial(replay_primitive, engines=engines)
        case Schema.EXPRESSIONS:
            return replay_expression


__all__ = ["CaseResult", "Engine", "Known", "Outcome", "Replay", "replay"]
