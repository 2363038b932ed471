"""Replay of recorded cases: the reference simulator's, to the cycle, and SAM's primitives and expressions, in function.

``replay([folder]).report()`` ends with ``N passed, M failed``. Differences that are wanted stand in
``differences.json`` with their reasons; a case that has one passes only if all else agrees.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.expressions import replay_expression
from fuseflow.sim.replay.files import Schema, find_files
from fuseflow.sim.replay.primitives import replay_primitive
from fuseflow.sim.replay.result import CaseResult, Outcome, Replay
from fuseflow.sim.replay.timed import replay_timed

_RUNS = {
    Schema.TIMED: replay_timed,
    Schema.PRIMITIVES: replay_primitive,
    Schema.EXPRESSIONS: replay_expression,
}


def replay(paths: Iterable[str | Path], progress: Callable[[CaseResult], None] | None = None) -> Replay:
    """Run every case of the case files at ``paths`` through our units, those of expressions through the compiler and
    both engines; folders are searched for them.

    ``progress`` is called after each case. Raises DataError, with path and reason, for a file that is corrupt, of no
    known schema, or not there.
    """
    results: list[CaseResult] = []
    for path, schema, cases in find_files(paths):
        run_case = _RUNS[schema]
        for case in cases:
            results.append(run_case(str(path), case))
            if progress is not None:
                progress(results[-1])
    return Replay(tuple(results))


__all__ = ["CaseResult", "Known", "Outcome", "Replay", "replay"]
