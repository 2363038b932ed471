"""Pictures of every widget, light and dark, for the docs: ``make screenshots``."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.actions import MODEL, exact_cycles, preset, tab
from tests.browser.lab import chromium, jupyter_lab, open_notebook, run_all

SMALL = """
import fuseflow as ff, fuseflow_widgets as fw
stepper = fw.StreamStepper(ff.course.examples.matvec(), height=560)
stepper.cycle = 9
stepper
"""
TREE = """
tree = fw.FiberTreeView(ff.course.examples.matrix("dcsr"), "A")
tree.selected = 2
tree
"""
LANES = """
first, second = ff.Schedule.partial(model).regions
wide = ff.Schedule("lanes", (ff.Region(first.name, first.statements, lanes=(ff.Lanes("i", 4),)), second))
lanes = fw.GraphView(ff.compile(model, wide))
lanes.collapse(True)
lanes
"""
REFUSED = """
refused = fw.FusionPicker(model, "unfused", height=330)
refused.attempt(lambda: refused.group(["sparse_mm", "relu"]))
refused
"""
NOTICE = "ff.workbench(__import__('torch').nn.Linear(2, 2))"


def take(page: Page, selector: str, path: Path) -> None:
    """The picture of one element."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    page.wait_for_timeout(250)
    element.screenshot(path=path)


def main(folder: Path) -> None:
    """All pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, jupyter_lab(Path(place) / "lab") as lab, chromium() as browser:
        bench, widgets = lab.write("bench.ipynb", [MODEL.format(data="karate")]), ""
        setup = "import fuseflow as ff, fuseflow_widgets as fw\nmodel = ff.models.gcn('karate')"
        widgets = lab.write("widgets.ipynb", [setup, SMALL, TREE, LANES, REFUSED, NOTICE])
        for theme in ("light", "dark"):
            page = browser.page(dark=theme == "dark", width=1240, height=2100)
            open_notebook(lab, page, bench, dark=theme == "dark")
            run_all(page)
            page.wait_for_selector(".ff-picker g.statement")
            exact_cycles(page)
            page.wait_for_function("document.querySelector('.ff-exact').innerText.includes('×')")
            page.locator(".ff-graph g.block#node-intersect_k").click()
            for name in ("picker", "graph", "table", "summary"):
                take(page, f".ff-{name}", folder / f"{name}-{theme}.png")
            take(page, ".ff-workbench", folder / f"workbench-{theme}.png")
            page.locator(".ff-colour").select_option("busy")
            take(page, ".ff-graph", folder / f"graph-busy-{theme}.png")
            tab(page, "run")
            page.locator(".ff-run input[type=checkbox]").check()
            page.locator(".ff-start").click()
            page.wait_for_selector('.ff-run[data-state="done"]', timeout=90_000)
            take(page, ".ff-run", folder / f"run-{theme}.png")
            tab(page, "compare")
            page.locator(".ff-add").click()
            for name in ("unfused", "full"):
                preset(page, name)
                exact_cycles(page)
                page.locator(".ff-add").click()
            page.wait_for_selector(".ff-compare path[data-schedule=full]")
            take(page, ".ff-compare", folder / f"compare-{theme}.png")
            page.locator(".ff-compare button[role=tab]", has_text="nodes").click()
            take(page, ".ff-compare", folder / f"compare-nodes-{theme}.png")
            page.context.close()
            lab.end_sessions()

            page = browser.page(dark=theme == "dark", width=1240, height=1700)
            open_notebook(lab, page, widgets, dark=theme == "dark")
            run_all(page)
            page.wait_for_selector(".ff-notice .ff-error, .ff-notice.ff-error", state="attached")
            page.wait_for_selector(".ff-picker .ff-error")
            take(page, ".ff-stepper", folder / f"stepper-{theme}.png")
            take(page, ".ff-tree", folder / f"fibertree-{theme}.png")
            take(page, ".ff-graph", folder / f"graph-lanes-{theme}.png")
            take(page, ".ff-picker", folder / f"refused-{theme}.png")
            page.context.close()
            lab.end_sessions()
        browser.require_clean()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
