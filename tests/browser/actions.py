"""What a user does in the workbench, as functions of a page."""

from typing import Any

from playwright.sync_api import Page

MODEL = "import fuseflow as ff\nmodel = ff.models.gcn({data!r})\nbench = ff.workbench(model)\nbench"

_ON_EDGE = """(id) => {
  const edge = document.getElementById(id), path = edge.querySelector("path.ff-hit"), length = path.getTotalLength();
  for (const share of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]) {
    const at = path.getPointAtLength(length * share).matrixTransform(path.getScreenCTM());
    if (document.elementFromPoint(at.x, at.y)?.closest("g.flow") === edge) return [at.x, at.y];
  }
  return null;
}"""
"""A point where a click meets an edge: layouts differ between fonts, and a block or the border of the pane may be above."""

_DRAWN = """() => [...document.querySelectorAll(".ff-picker, .ff-summary, .ff-graph")].map((each) => each.dataset.version).join(" ")"""


def workbench_cell(data: str) -> str:
    """Source of a cell that shows a workbench of the GCN on ``data``."""
    return MODEL.format(data=data)


def version(page: Page) -> str:
    """How often picker, summary and graph were drawn, as far as the page has them."""
    return str(page.evaluate(_DRAWN))


def await_drawn(page: Page, before: str) -> None:
    """Wait until each of them has been drawn again since ``before``; they are sent one after the other."""
    page.wait_for_function(
        f"(seen) => {{ const now = ({_DRAWN})().split(' '); return seen.split(' ').every((each, at) => each !== now[at]); }}",
        arg=before,
    )


def click_edge(page: Page, source: str, target: str) -> None:
    """A real click on an edge of the picker, and wait for the new drawing."""
    page.locator(".ff-picker .ff-pane").scroll_into_view_if_needed()
    edge = f"flow-{source}->{target}"
    at = page.evaluate(_ON_EDGE, edge)
    if at is None:  # it lies outside of the pane: as a user would
        page.locator(".ff-picker .ff-zoom button", has_text="fit").click()
        at = page.evaluate(_ON_EDGE, edge)
    assert at, f"no point of {edge} can be clicked, even with the whole graph in view"
    before = version(page)
    page.mouse.click(*at)
    await_drawn(page, before)


def press_edge(page: Page, source: str, target: str, key: str = "Enter") -> None:
    """The same with the keyboard."""
    before = version(page)
    page.evaluate("(id) => document.getElementById(id).focus()", f"flow-{source}->{target}")
    page.keyboard.press(key)
    await_drawn(page, before)


def preset(page: Page, name: str) -> None:
    """Click a preset and wait for its drawing."""
    before = version(page)
    page.locator(".ff-preset", has_text=name).click()
    await_drawn(page, before)
    # The summary follows the picker; until it has, it says that the cycles of the schedule before are there.
    page.locator('.ff-summary [data-fact="schedule"]', has_text=name).wait_for()


def exact_cycles(page: Page) -> int:
    """The exact cycles, once they are there."""
    page.wait_for_selector('.ff-summary[data-exact="done"]')
    return int(page.evaluate("document.querySelector('.ff-summary').dataset.cycles"))


def estimated_cycles(page: Page) -> float:
    """The estimated cycles that the page holds, unrounded, once they are there."""
    page.wait_for_selector('.ff-summary[data-estimate="done"]')
    return float(page.evaluate("document.querySelector('.ff-summary').dataset.estimated"))


def fact(page: Page, name: str) -> str:
    """A number of the summary."""
    return page.locator(f'.ff-summary [data-fact="{name}"]').inner_text()


def tab(page: Page, title: str) -> None:
    """Turn to a tab of the workbench."""
    page.locator(".ff-workbench .lm-TabBar-tab, .ff-workbench .p-TabBar-tab").filter(has_text=title).click()


def drawn_nodes(page: Page) -> set[str]:
    """Names of the nodes in the graph view."""
    found: list[Any] = page.evaluate(
        "[...document.querySelectorAll('.ff-graph g.block')].map((node) => node.id.replace(/^node-/, ''))"
    )
    return set(found)
