"""Exact cycles in the background: each edit asks, the newest wins, and what was simulated before is remembered."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from fuseflow.compiled import Compiled
from fuseflow.run import Run, RunProgress
from fuseflow.schedule import Region
from fuseflow.sim import Machine
from fuseflow_widgets.background import Background, Job
from fuseflow_widgets.memory import require_memory

REMEMBERED = 32
"""Runs that are kept; undo and presets then answer at once."""
SETTLE_SECONDS = 0.15
"""How long an edit stands before its simulation starts, so that quick clicks start only one."""
PROGRESS_EVERY_SECONDS = 0.1

Key = tuple[tuple[Region, ...], object, Machine]


class ExactCycles:
    """Simulates compiled schedules of one model in a thread."""

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine or Machine()
        self.background = Background()
        self._runs: OrderedDict[Key, Run] = OrderedDict()

    def known(self, compiled: Compiled) -> Run | None:
        """The run of an equal schedule, if it is remembered."""
        return self._runs.get(self._key(compiled))

    def ask(
        self,
        compiled: Compiled,
        done: Callable[[Run], None],
        failed: Callable[[str], None],
        progress: Callable[[RunProgress], None] | None = None,
        delay_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """Call ``done`` with the run of ``compiled``: at once if it is remembered, else when it is simulated.

        Asking again cancels what was asked before. ``progress`` and ``failed`` are called as ``done`` is.
        """
        known = self.known(compiled)
        if known is not None:
            self.background.cancel()
            done(known)
            return

        def work(job: Job) -> Run:
            last = 0.0

            def report(state: RunProgress) -> None:
                nonlocal last
                job.check()
                require_memory()
                now = monotonic()
                if progress is not None and now - last >= PROGRESS_EVERY_SECONDS:
                    last = now
                    self.background.post(lambda: progress(state), job)

            require_memory()
            return compiled.simulate(self.machine, progress=report)

        def finished(run: Run) -> None:
            self.remember(compiled, run)
            done(run)

        self.background.start(work, finished, failed, delay_seconds)

    def remember(self, compiled: Compiled, run: Run) -> None:
        """``run`` is what ``compiled`` gives on this machine."""
        self._runs[self._key(compiled)] = run
        while len(self._runs) > REMEMBERED:
            self._runs.popitem(last=False)

    def close(self) -> None:
        """Stop what runs."""
        self.background.close()

    def _key(self, compiled: Compiled) -> Key:
        # Names of schedules do not matter, names of regions do: results are shown by them.
        return tuple(region.region for region in compiled.regions), compiled.schedule.blocks, self.machine
