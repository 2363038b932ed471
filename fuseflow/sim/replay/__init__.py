"""Replay of recorded cases: the reference simulator's, to the cycle, and SAM's, in function.

``replay([folder]).report()`` ends with ``N passed, M failed``. Differences that are wanted stand in
``differences.json`` with their reasons; a case that has one passes only if all else agrees.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.files import Schema, find_files
from fuseflow.sim.replay.primitives import replay_primitive
from fuseflow.sim.replay.result import CaseResult, Outcome, Replay
from fuseflow.sim.replay.timed import replay_timed


def replay(paths: Iterable[str | Path], progress: Callable[[CaseResult], None] | None = None) -> Replay:
    """Run every case of the case files at ``paths`` through the interpreter's units; folders are searched for them.

    ``progress`` is called after each case. Raises DataError, with path and reason, for a file that is corrupt, of no
    known schema, or not there.
    """
    results: list[CaseResult] = []
    unread: list[tuple[str, str]] = []
    for path, schema, cases in find_files(paths):
        if schema is Schema.EXPRESSIONS:
            unread.append((str(path), f"{len(cases)} cases, not replayed yet (needs the compiler)"))
            continue
        run_case = replay_timed if schema is Schema.TIMED else replay_primitive
        for case in cases:
            results.append(run_case(str(path), case))
            if progress is not None:
                progress(results[-1])
    return Replay(tuple(results), tuple(unread))


__all__ = ["CaseResult", "Known", "Outcome", "Replay", "replay"]
