"""How fast the workbench answers, measured in a real browser: ``make bench-workbench``.

GCN on Cora where its data are at hand, else on the twin. A click is timed in the page, from the event to the frame in
which the new graph, table and numbers have been drawn.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.actions import click_edge, exact_cycles, tab, workbench_cell
from tests.browser.lab import chromium, jupyter_lab, open_notebook, python, run_all

EDGES = (
    ("relu", "sparse_mm_1"), ("linear", "relu"), ("sparse_mm", "linear_mul"), ("linear_mul", "linear"),
    ("sparse_mm_1", "linear_1_mul"), ("linear_1_mul", "linear_1"),
)  # fmt: skip
ROUNDS = 5
DRAWN = """([id, before]) => new Promise((done) => {
  const picker = document.querySelector('.ff-picker'), graph = document.querySelector('.ff-graph');
  const facts = document.querySelector('.ff-facts').innerText;
  const start = performance.now();
  document.getElementById(id).querySelector('path.ff-hit').dispatchEvent(new MouseEvent('click', {bubbles: true}));
  const look = () => {
    const ready = picker.dataset.version !== before[0] && graph.dataset.version !== before[1]
      && document.querySelector('.ff-facts').innerText !== facts
      && document.querySelector('.ff-summary').dataset.estimate === 'done';
    if (ready) requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    else requestAnimationFrame(look);
  };
  look();
})"""
ROWS, BATCH = 1_000_000, 5_000
STREAM = f"""(lambda: [view.push(__import__('numpy').column_stack([
    __import__('numpy').arange(start, start + {BATCH}) / 1e4, __import__('numpy').random.random({BATCH}) * 1e6]))
    for start in range(0, {ROWS}, {BATCH})] and None)()"""


def clicks(page: Page) -> list[float]:
    """Milliseconds from a click on a boundary to everything drawn."""
    found = []
    for _ in range(ROUNDS):
        for source, target in EDGES:
            before = [
                page.evaluate(f"document.querySelector('.ff-{name}').dataset.version") for name in ("picker", "graph")
            ]
            found.append(float(page.evaluate(DRAWN, [f"flow-{source}->{target}", before])))
            page.wait_for_timeout(120)
    return found


def exact(page: Page) -> tuple[str, float]:
    """Cycles, and seconds from a click to them, of a schedule that was not run before."""
    started = time.perf_counter()
    click_edge(page, "linear", "relu")
    cycles = exact_cycles(page)
    return f"{cycles:,}", time.perf_counter() - started


def stream(page: Page) -> tuple[float, float, int]:
    """Updates per second and seconds while 10^6 rows stream into the live chart, and points that the page then holds."""
    tab(page, "run")
    page.evaluate("window.ffStart = performance.now()")
    python(page, "setattr(__import__('builtins'), 'view', bench.running)")
    before = int(page.evaluate("Number(document.querySelector('.ff-run').dataset.updates ?? 0)"))
    started = time.perf_counter()
    python(page, STREAM)
    page.wait_for_function(
        """() => { const now = document.querySelector('.ff-run').dataset.updates;
        const still = now === window.ffLast; window.ffLast = now; return still && now; }""",
        polling=400,
    )
    seconds = time.perf_counter() - started - 0.4
    after = int(page.evaluate("Number(document.querySelector('.ff-run').dataset.updates)"))
    points = int(page.evaluate("Number(document.querySelector('.ff-run').dataset.points)"))
    return (after - before) / seconds, seconds, points


def large(page: Page) -> tuple[int, float]:
    """Nodes and milliseconds to draw a graph of about 300 nodes: from its SVG in the page to the painted frame."""
    code = (
        "(lambda wide: (bench.graph.show(__import__('fuseflow').compile(model, wide)), bench.graph.collapse(False),"
        " len(bench.graph.graph))[2])(ff.Schedule('lanes', (ff.Region('all', ff.Schedule.partial(model).regions[0].statements,"
        " lanes=(ff.Lanes('i', 12),)), ff.Schedule.partial(model).regions[1])))"
    )
    tab(page, "graph")
    before = page.evaluate("document.querySelector('.ff-graph').dataset.version")
    nodes = int(python(page, code))
    page.wait_for_function(
        "([seen, count]) => { const graph = document.querySelector('.ff-graph');"
        " return graph.dataset.version !== seen && graph.querySelectorAll('g.block').length === count; }",
        arg=[before, nodes],
    )
    page.wait_for_timeout(500)
    return nodes, float(page.evaluate("Number(document.querySelector('.ff-graph').dataset.frameMs)"))


def importing() -> float:
    """Seconds to import the package with its workbench, in a fresh process, without the interpreter's own start."""
    code = "import time; t = time.perf_counter(); import fuseflow_widgets as f; f.Workbench; print(time.perf_counter() - t)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )


def main(target: Path) -> None:
    """Measure all of it and write ``target``."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place, jupyter_lab(Path(place) / "lab") as lab, chromium() as browser:
        page = browser.page(height=1900)
        open_notebook(lab, page, lab.write("bench.ipynb", [workbench_cell("cora")]))
        run_all(page)
        page.wait_for_selector(".ff-picker g.statement", timeout=120_000)
        exact_cycles(page)
        data = python(page, "[model.dataset, model.synthetic]")
        cycles, seconds = exact(page)
        taken = sorted(clicks(page))
        rate, streamed, points = stream(page)
        nodes, drawn = large(page)
        browser.require_clean()
    rows = [
        (
            "click on a boundary → graph, table, numbers and estimate drawn, median",
            f"{statistics.median(taken):.0f} ms",
            "< 200 ms",
        ),
        (f"the same, worst of {len(taken)}", f"{taken[-1]:.0f} ms", "< 500 ms"),
        (f"click → exact cycles ({cycles}, three kernels)", f"{seconds:.2f} s", "< 2 s"),
        (f"graph of {nodes} nodes: from the SVG to the painted frame", f"{drawn:.0f} ms", "< 100 ms at 300 nodes"),
        (f"live chart while {ROWS:,} rows stream", f"{rate:.0f} updates/s for {streamed:.1f} s", "> 10 updates/s"),
        ("points that the page then holds", f"{points:,}", "bounded"),
        ("import of fuseflow_widgets with the workbench", f"{importing():.2f} s", "< 1.5 s"),
    ]
    lines = [
        "# How fast the workbench answers",
        "",
        f"`make bench-workbench`: GCN on {data[0]}{' (synthetic twin)' if data[1] else ''} in JupyterLab, headless Chromium without a "
        f"GPU, Python {platform.python_version()}, {os.cpu_count()} cores shared with the kernel; load average before the "
        f"measurement {load:.1f} (other work on the machine makes everything that much slower). A click is timed in the page.",
        "",
        "| what | measured | target |",
        "| --- | --- | --- |",
        *(f"| {what} | {value} | {goal} |" for what, value, goal in rows),
    ]
    target.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
