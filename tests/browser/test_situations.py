"""Situations around the workbench: the shipped notebooks, long runs, two tabs, small windows, kernels that are gone."""

import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

import fuseflow as ff
from tests.browser.actions import await_drawn, click_edge, exact_cycles, fact, press_edge, tab, version, workbench_cell
from tests.browser.lab import PATIENCE_MS, ROOT, Browser, Lab, free_port, open_notebook, python, run_all

LONG = (
    "import fuseflow as ff, fuseflow_widgets as fw\n"
    "model = ff.models.gcn('cora', hidden=96, weight_sparsity=0.0)\n"
    "view = fw.RunView(ff.compile(model, 'full'))\nview"
)


@pytest.fixture(autouse=True)
def left_clean(lab: Lab, browser: Browser) -> Iterator[None]:
    """After every test: nothing left the machine, no page threw an error, no page or kernel is left."""
    yield
    for context in browser.chromium.contexts:
        context.close()
    lab.end_sessions()
    browser.require_clean()


def test_the_quickstart_runs_from_the_top(lab: Lab, browser: Browser) -> None:
    shutil.copy(ROOT / "notebooks" / "00_quickstart.ipynb", lab.folder / "quickstart.ipynb")
    page = browser.page(height=1800)
    open_notebook(lab, page, "quickstart.ipynb")
    run_all(page)
    page.wait_for_selector(".ff-picker g.statement")
    model = ff.models.gcn("karate")
    assert exact_cycles(page) == ff.compile(model, "partial").simulate().cycles
    page.wait_for_function("!document.querySelector('.jp-InputPrompt')?.innerText.includes('*')")
    text = page.locator(".jp-Notebook").inner_text()
    assert f"{ff.compile(model, 'full').simulate().cycles}" in text.replace(",", "")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    click_edge(page, "relu", "sparse_mm_1")
    assert fact(page, "kernels") == "1"


def test_a_long_run_is_cancelled_and_the_kernel_stays_usable(lab: Lab, browser: Browser) -> None:
    page = browser.page()
    open_notebook(lab, page, lab.write("long.ipynb", [LONG]))
    run_all(page)
    page.wait_for_selector(".ff-start")
    page.locator(".ff-start").click()
    page.wait_for_selector('.ff-run[data-state="running"]')
    page.wait_for_function("document.querySelector('.ff-state').innerText.includes('tokens')")
    begun = time.monotonic()
    assert python(page, "6 * 7") == 42
    assert time.monotonic() - begun < 20  # it answers while the run goes on; how fast is measured elsewhere
    assert python(page, "len(view.trace)") > 0
    page.locator(".ff-cancel").click()
    page.wait_for_selector('.ff-run[data-state="cancelled"]')
    expect(page.locator(".ff-state")).to_contain_text("cancelled after")
    assert python(page, "[view.run is None, view.background.join(20)]") == [True, True]
    page.locator(".ff-start").click()
    page.wait_for_selector('.ff-run[data-state="running"]')
    assert python(page, "[view.close(), view.background.join(20)]") == [None, True]
    page.wait_for_selector(".ff-run", state="detached")


def test_two_tabs_show_the_same_state(lab: Lab, browser: Browser) -> None:
    name = lab.write("tabs.ipynb", [workbench_cell("karate")])
    first = browser.page(height=1800)
    open_notebook(lab, first, name)
    run_all(first)
    exact_cycles(first)
    first.evaluate("() => jupyterapp.commands.execute('notebook:create-output-view')")
    first.wait_for_function("document.querySelectorAll('.ff-picker').length === 2")
    press_edge(first, "relu", "sparse_mm_1")
    first.wait_for_function(
        "[...document.querySelectorAll('.ff-summary [data-fact=kernels]')].every((each) => each.innerText === '1')"
    )
    assert first.evaluate("document.querySelectorAll('.ff-summary [data-fact=kernels]').length") == 2


def test_two_browser_tabs_on_one_notebook_share_the_kernel(lab: Lab, browser: Browser) -> None:
    """A second tab of the browser opens the notebook that is saved and has run: the same widgets, both ways."""
    name = lab.write("second.ipynb", [workbench_cell("karate")])
    first = browser.page(height=1800)
    open_notebook(lab, first, name)
    run_all(first)
    exact_cycles(first)
    first.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    first.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    second = first.context.new_page()
    browser.watch(second)
    open_notebook(lab, second, name)
    assert python(second, "bench.picker.version") == python(first, "bench.picker.version")  # one kernel
    second.wait_for_selector(".ff-picker g.statement")
    press_edge(second, "relu", "sparse_mm_1")
    kernels = "document.querySelector('.ff-summary [data-fact=kernels]').innerText === '1'"
    first.wait_for_function(kernels)
    second.wait_for_function(kernels)
    before = version(second)
    first.bring_to_front()
    press_edge(first, "relu", "sparse_mm_1")
    await_drawn(second, before)
    assert fact(second, "kernels") == fact(first, "kernels") == "2"
    assert exact_cycles(first) == exact_cycles(second)


TIMERS = """
const {setInterval: start, clearInterval: stop} = window;
window.ffTimers = new Set();
window.setInterval = (call, delay, ...rest) => {
  const timer = start(call, delay, ...rest);
  if (Math.abs(delay - 1000 / 0.7) < 0.01) window.ffTimers.add(timer);
  return timer;
};
window.clearInterval = (timer) => { window.ffTimers.delete(timer); stop(timer); };
"""


def test_two_views_of_a_stepper_play_with_one_clock(lab: Lab, browser: Browser) -> None:
    cells = [
        "import fuseflow as ff, fuseflow_widgets as fw\nstepper = fw.StreamStepper(ff.course.examples.matvec(), speed=0.7)\n"
        "stepper",
        "stepper",
    ]
    page = browser.page(height=2000)
    page.add_init_script(TIMERS)
    open_notebook(lab, page, lab.write("views.ipynb", cells))
    run_all(page)
    page.wait_for_function("document.querySelectorAll('.ff-stepper g.ff-queues').length === 2")
    running = "window.ffTimers.size"
    python(page, "setattr(stepper, 'playing', True)")  # nobody pressed: the views settle who plays
    page.wait_for_function(f"{running} === 1 && document.querySelectorAll('.ff-play[aria-pressed=true]').length === 2")
    page.wait_for_function("[...document.querySelectorAll('.ff-stepper')].every((each) => each.dataset.cycle > 3)")
    assert page.evaluate(running) == 1
    page.locator(".ff-play").nth(1).click()
    page.wait_for_function(f"{running} === 0")
    python(page, "setattr(stepper, 'cycle', 0)")
    page.locator(".ff-play").nth(1).click()
    page.wait_for_function(f"{running} === 1")
    leader = python(page, "stepper.player")
    page.evaluate(
        "() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 1; "
        "return jupyterapp.commands.execute('notebook:clear-cell-output'); }"
    )
    page.wait_for_function("document.querySelectorAll('.ff-stepper').length === 1")
    page.wait_for_function(f"{running} === 1")  # the other one goes on
    assert python(page, "[stepper.playing, stepper.player]") != [True, leader]


def test_a_page_closed_while_it_plays_leaves_the_clock_to_the_others(lab: Lab, browser: Browser) -> None:
    """A closed page says nothing; the view that it leaves behind notices that nobody moves on."""
    name = lab.write(
        "left.ipynb",
        [
            "import fuseflow as ff, fuseflow_widgets as fw\nstepper = fw.StreamStepper(ff.course.examples.matvec())\nstepper"
        ],
    )
    first = browser.page(height=1300)
    open_notebook(lab, first, name)
    run_all(first)
    first.wait_for_selector(".ff-stepper g.ff-queues", state="attached")
    first.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    first.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    second = first.context.new_page()
    browser.watch(second)
    open_notebook(lab, second, name)
    second.wait_for_selector(".ff-stepper g.ff-queues", state="attached")
    second.locator(".ff-play").click()
    second.wait_for_function("Number(document.querySelector('.ff-stepper').dataset.cycle) > 2")
    left = python(second, "stepper.player")
    second.close()
    first.bring_to_front()
    first.wait_for_function("seen => document.querySelector('.ff-stepper').dataset.player !== seen", arg=left)
    cycle = int(first.locator(".ff-stepper").get_attribute("data-cycle") or 0)
    last = python(first, "stepper.history['cycles']")
    first.wait_for_function(
        "([cycle, last]) => Number(document.querySelector('.ff-stepper').dataset.cycle) >= Math.min(cycle + 1, last)",
        arg=[cycle, last],
    )


def test_the_focus_stays_where_it_was_when_a_message_is_closed(lab: Lab, browser: Browser) -> None:
    page = browser.page(height=1800)
    open_notebook(lab, page, lab.write("focus.ipynb", [workbench_cell("karate")]))
    run_all(page)
    exact_cycles(page)
    page.locator(".ff-preset").first.focus()
    python(page, "bench.picker.say('a message')")
    page.locator(".ff-picker .ff-close").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ff-picker .ff-close")).to_have_count(0)
    expect(page.locator(".ff-preset").first).to_be_focused()
    tab(page, "compare")
    page.locator(".ff-add").click()
    mark = page.locator(".ff-compare .ff-chart path[data-schedule=partial]").first
    mark.click()
    page.wait_for_function("document.activeElement.dataset.schedule === 'partial'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.dataset.schedule === 'partial'")


def test_a_run_whose_output_is_cleared_is_stopped(lab: Lab, browser: Browser) -> None:
    cell = (
        "import fuseflow as ff, fuseflow_widgets as fw\n"
        "model = ff.models.gcn('cora', hidden=96, weight_sparsity=0)\n"
        "view = fw.RunView(ff.compile(model, 'full'), traced=True)\nview"
    )
    page = browser.page(height=900)
    open_notebook(lab, page, lab.write("cleared.ipynb", [cell]))
    run_all(page)
    page.locator(".ff-start").click()
    page.wait_for_selector(".ff-run[data-state=running]")
    page.evaluate("() => jupyterapp.commands.execute('editmenu:clear-all')")
    page.wait_for_selector(".ff-run", state="detached")
    end = time.monotonic() + PATIENCE_MS / 1000
    while (state := python(page, "view.state")) == "running" and time.monotonic() < end:
        time.sleep(0.5)
    assert state == "cancelled"


def test_without_webgl_everything_draws(lab: Lab, browser: Browser) -> None:
    page = browser.page(height=1500)
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = function (kind, ...rest) "
        "{ if (String(kind).includes('webgl')) { window.ffAsked = true; return null; } return get.call(this, kind, ...rest); };"
    )
    open_notebook(lab, page, lab.write("nowebgl.ipynb", [workbench_cell("karate")]))
    run_all(page)
    exact_cycles(page)
    tab(page, "run")
    page.locator(".ff-start").click()
    page.wait_for_selector('.ff-run[data-state="done"]')
    assert page.evaluate("window.ffAsked") is None


def test_what_cannot_be_opened_or_run_is_said_in_the_page(lab: Lab, browser: Browser) -> None:
    """A model that does not export, one with nothing to fuse, and a simulation for which too little memory is left."""
    moves = (
        "import torch, fuseflow as ff\nclass Moves(torch.nn.Module):\n    def forward(self, x):\n        return x.reshape(3, 4)\n"
        "ff.workbench(Moves(), (torch.ones(4, 3),))"
    )
    export = "ff.workbench(torch.nn.LSTM(4, 4), (torch.ones(3, 1, 4),))"
    memory = (
        "from fuseflow_widgets import memory\nmemory.require_memory.__defaults__ = (10**18,)\n"
        "bench = ff.workbench(ff.models.gcn('karate'))\nbench"
    )
    page = browser.page(height=2200)
    open_notebook(lab, page, lab.write("said.ipynb", [moves, export, memory]))
    run_all(page)
    page.wait_for_selector(".ff-picker g.statement")
    notices = page.locator(".ff-notice .ff-error, .ff-notice.ff-error")
    expect(notices.nth(0)).to_contain_text("only moves stored elements")
    expect(notices.nth(1)).to_contain_text("return one tensor or a tuple of tensors")
    left = page.locator(".ff-summary .ff-exact")
    expect(left).to_contain_text("MiB of memory are left")
    expect(left).to_contain_text("cut the region")
    python(
        page, "memory.require_memory.__defaults__.__class__ and setattr(memory.require_memory, '__defaults__', (0,))"
    )
    press_edge(page, "linear", "relu")  # the way out: it runs again when there is room
    exact_cycles(page)


def test_a_narrow_window_stacks_the_controls(lab: Lab, browser: Browser) -> None:
    page = browser.page(width=560, height=1400)
    open_notebook(lab, page, lab.write("narrow.ipynb", [workbench_cell("karate")]))
    run_all(page)
    page.wait_for_selector(".ff-picker g.statement")
    pane = page.locator(".ff-picker .ff-pane").bounding_box()
    side = page.locator(".ff-picker .ff-side").bounding_box()
    assert pane and side and side["y"] >= pane["y"] + pane["height"]
    wide = page.evaluate(
        "[...document.querySelectorAll('.ff')].filter((each) => each.scrollWidth > each.clientWidth + 1).length"
    )
    assert wide == 0


def test_a_lost_kernel_is_said(lab: Lab, browser: Browser) -> None:
    page = browser.page(height=1500)
    open_notebook(lab, page, lab.write("lost.ipynb", [workbench_cell("karate")]))
    run_all(page)
    exact_cycles(page)
    lab.end_sessions()
    page.evaluate("(id) => document.getElementById(id).focus()", "flow-relu->sparse_mm_1")
    page.keyboard.press("Enter")
    lost = page.locator(".ff-picker .ff-lost")
    expect(lost).to_be_visible()
    assert "run the notebook again" in lost.inner_text()
    # So do the views whose clicks only set a trait, which nobody answers.
    page.locator(".ff-table td button").first.click()
    page.locator(".ff-graph .ff-colour").select_option("part")
    for name in ("table", "graph"):
        expect(page.locator(f".ff-{name} .ff-lost")).to_be_visible(timeout=30_000)


def test_every_action_has_a_key_and_a_name(lab: Lab, browser: Browser) -> None:
    page = browser.page(height=1800)
    open_notebook(lab, page, lab.write("keys.ipynb", [workbench_cell("karate")]))
    run_all(page)
    exact_cycles(page)
    unnamed = page.evaluate(
        """[...document.querySelectorAll('.ff button, .ff select, .ff input, .ff [role=button]')].filter((each) =>
        !(each.getAttribute('aria-label') || each.innerText?.trim() || each.closest('label'))).map((each) => each.outerHTML)"""
    )
    assert unnamed == []
    unreachable = page.evaluate(
        "[...document.querySelectorAll('.ff [role=button]')].filter((each) => each.tabIndex < 0).length"
    )
    assert unreachable == 0
    page.locator(".ff-preset").first.focus()
    page.keyboard.press("Tab")
    style, width = page.evaluate(
        "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
    )
    assert style == "solid" and float(width.removesuffix("px")) >= 2
    before = version(page)
    page.evaluate("document.querySelector('[id=\"flow-linear->relu\"]').focus()")
    stroke = page.evaluate("getComputedStyle(document.activeElement.querySelector('path:not(.ff-hit)')).strokeWidth")
    assert stroke == "4px"
    page.keyboard.press("Enter")
    await_drawn(page, before)
    assert page.evaluate("document.activeElement.id") == "flow-linear->relu"  # the focus survives the new drawing
    page.locator(".ff-graph g.block").last.focus()
    page.wait_for_function(
        """() => {
          const pane = document.querySelector('.ff-graph .ff-pane'), box = pane.getBoundingClientRect();
          const at = document.activeElement.getBoundingClientRect();
          return pane.scrollTop === 0 && pane.scrollLeft === 0 && at.top >= box.top && at.bottom <= box.bottom;
        }"""
    )
    tab(page, "run")
    page.locator(".ff-start").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector('.ff-run[data-state="done"]')
    page.locator(".ff-range button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('.ff-range').innerText.includes('cycles 0 to')")
    assert page.evaluate("document.activeElement.title") == "zoom in"  # so that the next Enter zooms again


def test_the_app(browser: Browser, lab: Lab, tmp_path: Path) -> None:
    """Through Voila, as ``make app`` starts it; nothing is asked of another machine."""
    notebook = nbformat.read(ROOT / "notebooks" / "app.ipynb", 4)
    nbformat.write(notebook, tmp_path / "app.ipynb")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "voila", str(tmp_path / "app.ipynb"), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1",
         "--template=offline"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**lab.environment, "JUPYTER_PATH": str(ROOT / "notebooks" / "share")},
    )  # fmt: skip
    try:
        page = browser.page()
        end = time.monotonic() + 180
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/voila/static/voila.js", timeout=2)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.3)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector(".ff-picker g.statement")
        assert exact_cycles(page) == ff.compile(ff.models.gcn("karate"), "partial").simulate().cycles
        press_edge(page, "relu", "sparse_mm_1")
        assert fact(page, "kernels") == "1"
    finally:
        server.terminate()
        server.wait(20)
