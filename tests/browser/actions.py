"""What a user does in the workbench, as functions of a page."""

from typing import Any

from playwright.sync_api import Page

MODEL = "import fuseflow as ff\nmodel = ff.models.gcn({data!r})\nbench = ff.workbench(model)\nbench"

_MIDDLE = """(id) => {
  const path = document.getElementById(id).querySelector("path.ff-hit");
  const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
  return [at.x, at.y];
}"""


def workbench_cell(data: str) -> str:
    """Source of a cell that shows a workbench of the GCN on ``data``."""
    return MODEL.format(data=data)


def version(page: Page, widget: str = "picker") -> str:
    """How often a widget was drawn."""
    return str(page.evaluate(f"document.querySelector('.ff-{widget}').dataset.version"))


def await_drawn(page: Page, before: str, widget: str = "picker") -> None:
    """Wait until a widget has been drawn again."""
    page.wait_for_function(
        "([name, seen]) => document.querySelector(`.ff-${name}`).dataset.version !== seen", arg=[widget, before]
    )


def click_edge(page: Page, source: str, target: str) -> None:
    """A real click on the middle of an edge of the picker, and wait for the new drawing."""
    page.locator(".ff-picker .ff-pane").scroll_into_view_if_needed()
    before = version(page)
    page.mouse.click(*page.evaluate(_MIDDLE, f"flow-{source}->{target}"))
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
    page.wait_for_selector('.ff-summary[data-exact="done"]', timeout=60_000)
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


def table_columns(page: Page) -> tuple[str, ...]:
    """Column names of the fusion table."""
    return tuple(page.locator(".ff-table thead th").all_inner_texts())
