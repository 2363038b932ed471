"""One point: its key, and running it in a worker; what is finished is in the store and is never run again."""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fuseflow import __version__
from fuseflow.candidates import Candidate, memory_bytes, simulate_candidate
from fuseflow.datasets.graph import DIRECTORY_VARIABLE, find_file
from fuseflow.errors import FuseflowError, StoreError
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.models import Model
from fuseflow.paper.experiment import Kind, ModelSpec, Point
from fuseflow.paper.memory import BASE_BYTES
from fuseflow.paper.recipes import (
    ALTERED,
    build_machine,
    build_model,
    build_schedule,
    drawn_adjacency,
    is_held,
    release_model,
)
from fuseflow.schedule import Schedule

GRAPHS = (Kind.GCN, Kind.GRAPHSAGE)


@dataclass(frozen=True, slots=True)
class PointJob:
    """What a worker needs to run ``point``; ``bytes_limit`` is the memory of its process.

    A point whose ``expected_bytes`` are more is not begun: what a model takes while it is built and while PyTorch
    computes the reference is seen only when it has been taken.
    """

    key: str
    point: Point
    store: Store
    bytes_limit: float
    expected_bytes: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Built:
    """A model that is there already, where a candidate asks for one."""

    built: Model

    def model(self) -> Model:
        return self.built


def point_key(point: Point) -> str:
    """Hash of everything the result depends on: recipe, seeds, machine, data files and the version of fuseflow."""
    content = [
        point.model.kind.value,
        [list(item) for item in point.model.arguments],
        point.model.data_seed,
        point.schedule.base.value,
        point.schedule.order,
        [item.to_json() for item in point.schedule.lanes],
        point.schedule.blocks,
        repr(build_machine(point)),
        data_identity(point.model),
        __version__,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def data_identity(spec: ModelSpec) -> str:
    """Which data a model reads: the hash of a file or drawn pattern, ``twin`` or ``made`` where it makes them."""
    if spec.kind is Kind.PATTERN_GCN:
        return hashlib.sha256(drawn_adjacency(spec).to_dense().tobytes()).hexdigest()
    if spec.kind not in GRAPHS:
        folder = spec.get("folder")
        return "made" if folder is None else _folder_hash(str(folder))
    path = None if any(spec.get(name) is not None for name in ALTERED) else find_file(str(spec["dataset"]))
    if path is None:
        return "twin"
    return _folder_hash(str(path)) if path.is_dir() else _file_hash(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _file_hash(path: Path, _: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def _folder_hash(folder: str) -> str:
    found = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        found.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return found.hexdigest()


def schedule_hash(schedule: Schedule) -> str:
    """Twelve digits that tell schedules apart: of all they ask for, not of the name."""
    content = {key: value for key, value in json.loads(schedule.to_json()).items() if key != "name"}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def run_point(job: PointJob) -> Outcome:
    """The outcome of a point, kept in the store. Raises StoreError where that fails."""
    known = job.store.find([job.key]).get(job.key)
    if known is not None and known.status is Status.DONE:
        return known
    started = time.monotonic()
    if not is_held(job.point.model):
        release_model()
    try:
        _check_room(job, expected=True)
        model = build_model(job.point.model)
        _check_room(job)
        schedule = build_schedule(job.point.schedule, model.program)
    except StoreError:
        raise
    except (FuseflowError, MemoryError) as error:
        large = isinstance(error, MemoryError)
        outcome = Outcome(
            job.key,
            Status.TOO_LARGE if large else Status.FAILED,
            str(error) or "its data do not fit into memory",
            seconds=time.monotonic() - started,
            limit=job.bytes_limit if large else 0.0,
        )
        job.store.write(outcome, {"model": str(job.point.model), "schedule": str(job.point.schedule)})
        return outcome
    about = {
        "model": str(job.point.model),
        "dataset": f"{model.dataset}{' (twin)' if model.synthetic else ''}",
        "schedule": str(job.point.schedule),
        "schedule_json": schedule.to_json(),
        "machine": f"{build_machine(job.point).name}{', HBM' if job.point.hbm else ''}",
        "version": __version__,
    }
    machine = build_machine(job.point)
    return simulate_candidate(
        Candidate(job.key, _Built(model), schedule, machine, float("inf"), job.bytes_limit, job.store, about)
    )


def _check_room(job: PointJob, expected: bool = False) -> None:
    """MemoryError if the worker has more than its share already, or is ``expected`` to need more."""
    used, room = memory_bytes(), f"more than {job.bytes_limit / 1e9:.2f} GB; --memory gives more"
    if used > job.bytes_limit:  # small runs end before their memory is looked at
        raise MemoryError(f"its worker used {used / 1e9:.2f} GB before it began, {room}")
    if expected and BASE_BYTES < job.bytes_limit < job.expected_bytes:
        raise MemoryError(f"it is expected to take {job.expected_bytes / 1e9:.1f} GB, {room}")


def data_folder() -> str:
    """What to write before a command so that it finds the same data."""
    return f"{DIRECTORY_VARIABLE}=<folder> " if os.environ.get(DIRECTORY_VARIABLE) else ""
