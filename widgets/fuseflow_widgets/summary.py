"""Summary: what a schedule costs, in numbers: structure and estimate at once, exact cycles when they arrive."""

from typing import Any

import traitlets

from fuseflow.compiled import Compiled
from fuseflow.estimate import Estimate
from fuseflow.run import Run
from fuseflow_widgets.view import View


class Summary(View):
    """Numbers of one schedule. ``exact["state"]`` is ``none``, ``waiting``, ``running``, ``done`` or ``failed``,
    ``estimate["state"]`` is ``none``, ``waiting``, ``done`` or ``failed``."""

    page = "summary"
    version = traitlets.Int(0).tag(sync=True)
    """How many schedules were shown; equal facts of two of them would else look like one."""
    facts = traitlets.List(traitlets.List()).tag(sync=True)
    estimate: Any = traitlets.Dict({"state": "none"}).tag(sync=True)
    exact: Any = traitlets.Dict({"state": "none"}).tag(sync=True)

    def show(self, compiled: Compiled) -> None:
        """The structure of ``compiled``; estimate and cycles of the schedule before are no longer shown."""
        self.estimate = {"state": "none"}
        self.exact = {"state": "none"}
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
        self.version += 1

    def estimating(self) -> None:
        """The estimate is being computed."""
        self.estimate = {"state": "waiting"}

    def estimated(self, estimate: Estimate) -> None:
        """Expected cycles, FLOPs and bytes, and the kernel and node that set the pace. All are estimates."""
        slowest = max(estimate.kernels, key=lambda kernel: kernel.cycles)
        node = slowest.limiting
        if slowest.memory_bound:
            limit = "memory"
            why = f"memory: all requests of kernel {slowest.name} take {slowest.memory_cycles:,.0f} cycles"
        else:
            limit = node.name
            what = f", which {node.role}," if node.role else ""
            why = (
                f"{node.name}{what} is busy in {node.busy_cycles:,.0f} of the {slowest.cycles:,.0f} cycles "
                f"of kernel {slowest.name}"
            )
        self.estimate = {
            "state": "done",
            "cycles": estimate.cycles,
            "flops": estimate.flops,
            "bytes": estimate.bytes,
            "limit": limit,
            "why": why,
            "milliseconds": round(estimate.seconds * 1000, 1),
        }

    def not_estimated(self, words: str) -> None:
        """There is no estimate, and why."""
        self.estimate = {"state": "failed", "words": words}

    def waiting(self) -> None:
        """The exact cycles are being asked for."""
        self.exact = {"state": "waiting"}

    def progress(self, name: str, clock_cycles: int, fraction: float | None) -> None:
        """Where the simulation behind the exact cycles stands."""
        self.exact = {"state": "running", "kernel": name, "clock": clock_cycles, "fraction": fraction}

    def done(self, run: Run, baseline: Run | None) -> None:
        """The exact cycles, how far the estimate is from them, and the speedup over ``baseline`` where it is known."""
        self.exact = {
            "state": "done",
            "cycles": run.cycles,
            "flops": run.flops,
            "bytes": run.bytes,
            "seconds": round(run.simulate_seconds, 3),
            "ratio": self.estimate["cycles"] / run.cycles if self.estimate["state"] == "done" and run.cycles else None,
            "speedup": None if baseline is None else baseline.cycles / run.cycles,
            "over": "" if baseline is None else baseline.schedule,
            "machine": run.machine.name,
        }

    def failed(self, words: str) -> None:
        """There are no exact cycles, and why."""
        self.exact = {"state": "failed", "words": words}

    def as_text(self) -> str:
        lines = [f"{name}: {value}" for name, value, _ in self.facts]
        estimate: dict[str, Any] = self.estimate
        exact: dict[str, Any] = self.exact
        if estimate["state"] == "done":
            lines += [
                f"estimated cycles: {estimate['cycles']:,.0f}",
                f"estimated FLOPs: {estimate['flops']:,.0f}",
                f"estimated memory traffic: {estimate['bytes']:,.0f} bytes",
                f"limited by (estimate): {estimate['why']}",
            ]
        elif estimate["state"] == "failed":
            lines.append(f"no estimate: {estimate['words']}")
        if exact["state"] == "done":
            ratio = "" if exact["ratio"] is None else f" (the estimate is {exact['ratio']:.3f} of them)"
            lines.append(f"exact cycles: {exact['cycles']:,}{ratio}")
        return "\n".join(lines)
