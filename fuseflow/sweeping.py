"""Simulating the candidates of an exploration: what is known already, within limits, kept as it comes in."""

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from fuseflow.candidates import Candidate, KnownReference, Payload, in_words, simulate_candidate
from fuseflow.explore.runner import CancelledError, Job, SweepProgress, run_jobs
from fuseflow.explore.shared_folder import on_disk, shared_folder
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.explored import Found
from fuseflow.models import Model

TRUST = 0.9
"""A candidate is simulated only if this fraction of its estimate is below the best cycles simulated so far."""


@dataclass(frozen=True, slots=True)
class ExploreProgress:
    """Where an exploration stands: ``phase`` is "estimate" or "simulate"."""

    phase: str
    text: str
    finished: int = 0
    total: int = 0
    latest: Outcome | None = None


Report = Callable[[ExploreProgress], None]


def simulated(
    model: Model,
    ranked: Sequence[Found],
    place: Store,
    workers: int | None,
    client: Any,
    seconds_limit: float,
    bytes_limit: float | None,
    prune: bool,
    deadline: float,
    progress: Report | None,
) -> dict[str, Outcome]:
    """Outcomes of ``ranked`` by key: those that ``place`` knows, and those of simulations now.

    Limits are those of :func:`fuseflow.exploration.explore`; what is refused or cancelled has its reason. Raises
    StoreError where results cannot be kept and SearchError where no cluster answers.
    """
    count = workers if workers is not None else max(1, min(os.cpu_count() or 1, len(ranked)))
    room = bytes_limit if bytes_limit is not None else _free_bytes() / count
    outcomes = {
        key: outcome
        for key, outcome in place.find([item.key for item in ranked]).items()
        if _settled(outcome, seconds_limit, room)
    }
    best = [float("inf")]

    def learn(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        if outcome.status is Status.DONE and outcome.cycles is not None:
            best[0] = min(best[0], outcome.cycles)

    def wanted(job: Job) -> str | None:
        item = by_key[job.key]
        if prune and not item.preset and item.cost.cycles * TRUST > best[0]:
            return f"its estimate of {item.cost.cycles:,.0f} cycles is beyond the best simulated, {best[0]:,.0f}"
        needed = _least_bytes(item)
        if needed > room:
            return f"it needs at least {in_words(needed)} for its results, and a worker may use {in_words(room)}"
        return None

    for outcome in list(outcomes.values()):
        learn(outcome)
    by_key = {item.key: item for item in ranked}
    relay = None if progress is None else _relay(progress)
    with ExitStack() as stack:
        jobs = list(_jobs(model, ranked, outcomes, place, client, seconds_limit, room, stack))
        try:
            for outcome in run_jobs(
                jobs,
                workers=min(count, max(len(jobs), 1)),
                client=client,
                progress=relay,
                wanted=wanted,
                deadline=deadline,
            ):
                learn(outcome)
                if client is not None and outcome.status is not Status.LEFT:
                    place.write(outcome, _about(model, by_key[outcome.key]))
        except CancelledError:
            for item in ranked:
                outcomes.setdefault(item.key, Outcome(item.key, Status.LEFT, "the sweep was cancelled"))
    return outcomes


def _jobs(
    model: Model,
    ranked: Sequence[Found],
    known: Mapping[str, Outcome],
    place: Store,
    client: Any,
    seconds_limit: float,
    room: float,
    stack: ExitStack,
) -> Iterator[Job]:
    todo = [item for item in ranked if item.key not in known]
    if not todo:
        return
    reference = KnownReference(model.reference())
    folder = None if client is not None else stack.enter_context(shared_folder())
    payloads: dict[tuple[int, int], Payload] = {}
    for item in todo:
        variant = item.variant
        same = id(variant.program), id(variant.tensors)  # variants in blocks share them with the one without
        if same not in payloads:
            sent = replace(model, program=variant.program, tensors=dict(variant.tensors), reference=reference)
            content = pickle.dumps(sent)
            if folder is None:
                payloads[same] = Payload(content=content)
            else:
                path = folder / f"{len(payloads)}.pickle"
                with on_disk():
                    path.write_bytes(content)
                payloads[same] = Payload(path)
        candidate = Candidate(
            item.key,
            payloads[same],
            item.schedule,
            item.machine,
            seconds_limit,
            room,
            None if client is not None else place,
            _about(model, item),
        )
        yield Job(item.key, item.schedule.name, simulate_candidate, candidate)


def _settled(outcome: Outcome, seconds_limit: float, room: float) -> bool:
    """Whether a stored outcome need not be tried again: finished, or failed under limits no lower than these."""
    match outcome.status:
        case Status.DONE:
            return True
        case Status.TOO_LONG:
            return outcome.limit >= seconds_limit
        case Status.TOO_LARGE:
            return outcome.limit >= room
        case _:
            return False


def _about(model: Model, item: Found) -> dict[str, str]:
    return {
        "model": model.name,
        "dataset": model.dataset,
        "schedule": item.schedule.name,
        "schedule_json": item.schedule.to_json(),
        "machine": item.machine.name,
        "version": version(),
    }


def _least_bytes(item: Found) -> float:
    """What the tensors and the written results take at least: a value and a coordinate each."""
    data = sum(tree.values.nbytes for tree in item.variant.tensors.values())
    return data + 8 * item.cost.values_written


def _free_bytes() -> float:
    """Memory that workers may share: four fifths of what is free."""
    try:
        return 0.8 * os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _relay(progress: Report) -> Callable[[SweepProgress], None]:
    def report(state: SweepProgress) -> None:
        latest = state.latest
        progress(ExploreProgress("simulate", state.name, state.finished, state.total, latest))

    return report


def version() -> str:
    """The version of fuseflow, a part of every key."""
    from fuseflow import __version__

    return __version__
