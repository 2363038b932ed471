"""One candidate in a worker: compile, simulate within limits, check, keep the result."""

import os
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fuseflow.compiled import Engine, compile
from fuseflow.errors import FuseflowError, StoreError
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.models import Model
from fuseflow.run import RunProgress
from fuseflow.schedule import Schedule
from fuseflow.sim import Machine


@dataclass(frozen=True, slots=True, eq=False)
class KnownReference:
    """A reference that was computed before: what a model sent to a worker has."""

    outputs: Mapping[str, NDArray[np.floating]]

    def __call__(self) -> dict[str, NDArray[np.floating]]:
        return dict(self.outputs)


@dataclass(frozen=True, slots=True)
class Payload:
    """A pickled model: in a file that the workers share, or sent along where they may not."""

    path: Path | None = None
    content: bytes = b""

    def model(self) -> Model:
        """The model; unpickled once per worker."""
        return _from_file(self.path) if self.path is not None else _from_bytes(self.content)


@lru_cache(maxsize=8)
def _from_file(path: Path) -> Model:
    made: Model = pickle.loads(path.read_bytes())
    return made


@lru_cache(maxsize=2)
def _from_bytes(content: bytes) -> Model:
    made: Model = pickle.loads(content)
    return made


class HasModel(Protocol):
    """What has the model of a candidate: a payload, or a model that is there already."""

    def model(self) -> Model: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a worker needs. ``store`` is given where workers and caller share a file system.

    ``seconds_limit`` and ``bytes_limit`` end the simulation; the memory is that of the worker's process.
    """

    key: str
    payload: HasModel
    schedule: Schedule
    machine: Machine
    seconds_limit: float
    bytes_limit: float
    store: Store | None
    about: Mapping[str, str] = field(default_factory=dict)


class _LimitReachedError(Exception):
    """Carries the status, the reason and the limit out of a simulation."""

    def __init__(self, status: Status, reason: str, limit: float) -> None:
        super().__init__(reason)
        self.status, self.reason, self.limit = status, reason, limit


def simulate_candidate(candidate: Candidate) -> Outcome:
    """Outcome of ``candidate``; kept in its store, if it has one. Raises StoreError where that fails."""
    if candidate.store is not None:
        known = candidate.store.find([candidate.key]).get(candidate.key)
        if known is not None and known.status is Status.DONE:
            return known  # another process was faster
    started = time.monotonic()

    def watch(_: RunProgress) -> None:
        if time.monotonic() - started > candidate.seconds_limit:
            reason = f"took longer than {candidate.seconds_limit:g} s"
            raise _LimitReachedError(Status.TOO_LONG, reason, candidate.seconds_limit)
        used = memory_bytes()
        if used > candidate.bytes_limit:
            reason = f"its worker used {in_words(used)}, more than {in_words(candidate.bytes_limit)}"
            raise _LimitReachedError(Status.TOO_LARGE, reason, candidate.bytes_limit)

    nodes = None
    key = candidate.key
    try:
        model = candidate.payload.model()
        compiled = compile(model, candidate.schedule)
        engine: Engine = "compiled" if candidate.machine.channel_capacity is None else "interpreter"
        run = compiled.simulate(candidate.machine, engine=engine, progress=watch, keep=False)
        check = run.compare()
        seconds = time.monotonic() - started
        if check.passed:
            nodes = run.table()
            outcome = Outcome(
                key, Status.DONE, "", run.cycles, run.flops, run.bytes, run.nodes, check.max_rel_error, seconds
            )
        else:
            reason = f"its result differs from {check.reference} by {check.max_rel_error:.3g} relative"
            outcome = Outcome(key, Status.FAILED, reason, max_rel_error=check.max_rel_error, seconds=seconds)
    except _LimitReachedError as reached:
        seconds = time.monotonic() - started
        outcome = Outcome(key, reached.status, reached.reason, seconds=seconds, limit=reached.limit)
    except StoreError:
        raise
    except MemoryError:
        reason = "its worker had no memory left"
        outcome = Outcome(
            key, Status.TOO_LARGE, reason, seconds=time.monotonic() - started, limit=candidate.bytes_limit
        )
    except FuseflowError as error:
        outcome = Outcome(key, Status.FAILED, str(error), seconds=time.monotonic() - started)
    if candidate.store is not None:
        candidate.store.write(outcome, candidate.about, nodes)
    return outcome


def in_words(size: float) -> str:
    """Bytes in a unit in which they are no zero: ``1.5 GB``, ``12 MB``, ``800 bytes``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size:.0f} bytes"


def memory_bytes() -> int:
    """Memory of this process: resident now, or where the system does not say, at most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
