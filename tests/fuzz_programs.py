"""Random programs in random formats, schedules, orders and iteration styles against the dense interpreter.

``python -m tests.fuzz_programs 10000`` runs that many programs from seed 0 (or ``--first``) on all processors, prints what
was wrong or crashed, with its seed, and exits with 1 if anything was.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import Pool

import numpy as np

from fuseflow.compiled import compile
from fuseflow.einsum import interpret
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.models import Model
from fuseflow.run import relative_error
from tests.random_programs import random_model, random_schedules

STATEMENTS = 6
TOLERANCE = 1e-4
CONDITION = 1e-5


@dataclass(slots=True)
class Tally:
    """Outcomes by schedule, and a line per fault."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.outcomes.update(other.outcomes)
        self.faults += other.faults


def well_conditioned(model: Model) -> bool:
    """Whether the dense interpreter itself gives the same in single precision, without overflow or cancellation."""
    single = interpret(model.program, model.tensors, np.float32)
    return all(relative_error(single[name], wanted) <= CONDITION for name, wanted in model.reference().items())


def run_program(seed: int) -> Tally:
    """One program in all its schedules, simulated by the plain interpreter."""
    tally = Tally()
    model = random_model(seed, STATEMENTS)
    if not well_conditioned(model):
        tally.outcomes["not judged: single precision alone is off by more than 1e-5"] += 1
        return tally
    for schedule in random_schedules(model, seed):
        try:
            compiled = compile(model, schedule)
        except (FusionError, ScheduleError):
            tally.outcomes[f"{schedule.name}: refused"] += 1
            continue
        except Exception as error:  # noqa: BLE001 - a crash is what we look for
            tally.faults.append(f"seed {seed}, {schedule!r}: compile raised {error!r}")
            continue
        try:
            found = compiled.simulate(engine="interpreter").compare()
        except Exception as error:  # noqa: BLE001 - a crash is what we look for
            tally.faults.append(f"seed {seed}, {schedule!r}: run raised {error!r}")
            continue
        if found.max_rel_error <= TOLERANCE:
            tally.outcomes[f"{schedule.name}: right"] += 1
        else:
            tally.faults.append(f"seed {seed}, {schedule!r}: relative error {found.max_rel_error:.3g}")
    return tally


def run_programs(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        tally.add(run_program(seed))
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=int, nargs="?", default=10_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    last = options.first + options.programs
    parts = [range(start, min(start + 50, last)) for start in range(options.first, last, 50)]
    tally = Tally()
    with Pool() as pool:
        for part in pool.imap(run_programs, parts):
            tally.add(part)
            for line in part.faults:
                print(line, flush=True)
    runs = sum(tally.outcomes.values()) + len(tally.faults)
    for name, count in sorted(tally.outcomes.items()):
        print(f"{count:8d}  {name}")
    print(
        f"{options.programs} programs, {runs} schedules, {len(tally.faults)} faults, {time.monotonic() - started:.0f} s"
    )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
