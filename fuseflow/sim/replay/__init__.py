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
from fuseflow.sim.replay.result import CaseResult, Engine, Outcome, Replay
from fuseflow.sim.replay.timed import replay_timed

_RUNS = {
    Schema.PRIMITIVES: replay_primitive,
    Schema.EXPRESSIONS: replay_expression,
}


def replay(
    paths: Iterable[str | Path],
    progress: Callable[[CaseResult], None] | None = None,
    engines: Sequence[Engine] = tuple(Engine),
) -> Replay:
    """Run every case of the case files at ``paths``; folders are searched for them.

    Timed cases run in each of ``engines`` and pass if all of them agree with what was recorded. Cases of primitives run
    through the interpreter's units, those of expressions through the compiler and both engines, whatever is asked for.

    ``progress`` is called after each case. Raises DataError, with path and reason, for a file that is corrupt, of no
    known schema, or not there.
    """
    results: list[CaseResult] = []
    for path, schema, cases in find_files(paths):
        run_case = partial(replay_timed, engines=engines) if schema is Schema.TIMED else _RUNS[schema]
        for case in cases:
            results.append(run_case(str(path), case))
            if progress is not None:
                progress(results[-1])
    return Replay(tuple(results))


__all__ = ["CaseResult", "Engine", "Known", "Outcome", "Replay", "replay"]
