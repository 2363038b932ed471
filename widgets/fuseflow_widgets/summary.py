"""Summary: what a schedule costs, in numbers: structure and recomputation at once, exact cycles when they arrive."""

from typing import Any

import traitlets

from fuseflow.compiled import Compiled
from fuseflow.run import Run
from fuseflow_widgets.view import View


class Summary(View):
    """Numbers of one schedule. ``exact["state"]`` is ``none``, ``waiting``, ``running``, ``done`` or ``failed``."""

    page = "summary"
    facts = traitlets.List(traitlets.List()).tag(sync=True)
    exact: Any = traitlets.Dict({"state": "none"}).tag(sync=True)

    def show(self, compiled: Compiled) -> None:
        """The structure of ``compiled``; the cycles of the schedule before are no longer shown."""
        again = [
            f"{region.name}: {name} for every {' '.join(over)}"
            for region in compiled.regions
            for name, over in region.recomputed.items()
        ]
        stored = [region.graph.name for region in compiled.regions]
        self.facts = [
            ["schedule", compiled.schedule.name, ""],
            ["kernels", f"{len(compiled.regions)}", "one graph per region, one after the other"],
            ["nodes", f"{compiled.nodes:,}", "blocks over all graphs"],
            ["intermediates stored", f"{len(stored) - 1}", "tensors written to memory and read again"],
            ["recomputed", "\n".join(again) or "nothing", "what runs again, and for every value of which indices"],
        ]
        self.exact = {"state": "none"}

    def waiting(self) -> None:
        """The exact cycles are being asked for."""
        self.exact = {"state": "waiting"}

    def progress(self, name: str, clock_cycles: int, fraction: float | None) -> None:
        """Where the simulation behind the exact cycles stands."""
        self.exact = {"state": "running", "kernel": name, "clock": clock_cycles, "fraction": fraction}

    def done(self, run: Run, baseline: Run | None) -> None:
        """The exact cycles, and the speedup over ``baseline`` where it is known."""
        self.exact = {
            "state": "done",
            "cycles": run.cycles,
            "flops": run.flops,
            "bytes": run.bytes,
            "seconds": round(run.simulate_seconds, 3),
            "speedup": None if baseline is None else baseline.cycles / run.cycles,
            "over": "" if baseline is None else baseline.schedule,
            "machine": run.machine.name,
        }

    def failed(self, words: str) -> None:
        """There are no exact cycles, and why."""
        self.exact = {"state": "failed", "words": words}

    def as_text(self) -> str:
        lines = [f"{name}: {value}" for name, value, _ in self.facts]
        exact: dict[str, Any] = self.exact
        if exact["state"] == "done":
            lines.append(f"cycles: {exact['cycles']:,}")
        return "\n".join(lines)
