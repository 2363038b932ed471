"""The workbench in a real JupyterLab, with real clicks and keys; what is shown is what the Python API gives."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

import fuseflow as ff
from tests.browser.actions import (
    await_drawn,
    click_edge,
    drawn_nodes,
    estimated_cycles,
    exact_cycles,
    fact,
    preset,
    press_edge,
    tab,
    version,
    workbench_cell,
)
from tests.browser.lab import Browser, Lab, open_notebook, python, run_all


@pytest.fixture(scope="module")
def model() -> ff.Model:
    return ff.models.gcn("karate")


@pytest.fixture(scope="module")
def page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """One notebook with a workbench; every test leaves it as it was: partial, nothing selected."""
    found = browser.page(height=1900)
    open_notebook(lab, found, lab.write("workbench.ipynb", [workbench_cell("karate")]))
    run_all(found)
    found.wait_for_selector(".ff-picker g.statement")
    exact_cycles(found)
    yield found
    found.context.close()


@pytest.fixture(autouse=True)
def as_it_was(request: pytest.FixtureRequest) -> None:
    """Every test begins with the partial schedule, its cycles, the graph's tab and nothing selected, whichever ran before."""
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        python(page, "[setattr(bench.graph, 'selected', []), bench.picker.say('')]")
        tab(page, "graph")
        preset(page, "partial")
        exact_cycles(page)


def matches(page: Page, compiled: ff.Compiled, region: str) -> None:
    """Numbers, graph, table and cycles on the page are those of ``compiled``."""
    assert exact_cycles(page) == compiled.simulate().cycles
    assert fact(page, "nodes") == f"{compiled.nodes:,}"
    assert fact(page, "kernels") == f"{len(compiled.regions)}"
    assert drawn_nodes(page) == {node.name for node in compiled[region].graph}
    expect(page.locator(".ff-table thead th")).to_have_text(list(compiled[region].table.columns))


def test_merge_and_cut_with_the_mouse(page: Page, model: ff.Model, browser: Browser) -> None:
    matches(page, ff.compile(model, "partial"), "conv1")
    assert fact(page, "recomputed") == "nothing"
    click_edge(page, "relu", "sparse_mm_1")
    full = ff.compile(
        model, ff.Schedule("custom", (ff.Region("conv1", ff.Schedule.full(model).regions[0].statements),))
    )
    matches(page, full, "conv1")
    assert "relu for every i" in fact(page, "recomputed")
    click_edge(page, "relu", "sparse_mm_1")
    assert exact_cycles(page) == ff.compile(model, "partial").simulate().cycles
    browser.require_clean()


COVERING = """() => {
  const graph = document.querySelector(".ff-graph svg"), blocks = [...graph.querySelectorAll("g.block")];
  const streams = [...graph.querySelectorAll("g.stream")];
  const after = (stream) => blocks.some((block) => block.compareDocumentPosition(stream) & Node.DOCUMENT_POSITION_FOLLOWING);
  return { streams: streams.length, blocks: blocks.length, covering: streams.filter(after).map((stream) => stream.id) };
}"""
"""The streams painted after a block. SVG paints in document order, so these would cover the blocks they cross."""


def test_no_stream_covers_a_block_it_crosses(page: Page) -> None:
    drawn = page.evaluate(COVERING)
    assert drawn["streams"] > 20 and drawn["blocks"] > 20
    assert drawn["covering"] == []


def test_tab_goes_from_a_node_to_its_streams(page: Page) -> None:
    page.locator(".ff-graph .ff-pane").focus()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.id")
    assert first.startswith("node-")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id").startswith(f"edge-{first.removeprefix('node-')}.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".ff-graph .ff-pane")).to_be_focused()
    page.locator(".ff-graph g.block").last.focus()
    for _ in range(60):  # its streams, then on
        page.keyboard.press("Tab")
        if not page.evaluate("!!document.activeElement.closest('.ff-graph .ff-pane')"):
            break
    else:
        pytest.fail("Tab never leaves the graph")


@pytest.mark.parametrize("place", [".ff-preset", ".ff-picker select", ".ff-picker g.statement", ".ff-graph g.block"])
def test_keys_of_the_notebook_do_not_reach_a_widget(page: Page, place: str) -> None:
    """``d d`` deletes a cell, ``0 0`` restarts the kernel, and arrows leave the cell, unless the widget keeps them."""
    cells = page.locator(".jp-Cell").count()
    focused = page.locator(f"{place} >> visible=true").first
    focused.focus()
    for key in ("d", "d", "0", "0", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert page.locator(".jp-Dialog").count() == 0
    assert page.evaluate("Boolean(document.activeElement.closest('.ff'))")


def test_the_same_with_keys(page: Page, model: ff.Model) -> None:
    press_edge(page, "linear", "relu")
    assert fact(page, "kernels") == "3"
    before = version(page)
    page.keyboard.press("Control+z")
    await_drawn(page, before)
    assert fact(page, "kernels") == "2"
    before = version(page)
    page.keyboard.press("Control+Shift+z")
    await_drawn(page, before)
    assert fact(page, "kernels") == "3"
    press_edge(page, "linear", "relu", key="Space")
    assert exact_cycles(page) == ff.compile(model, "partial").simulate().cycles


def test_speedup_is_over_the_unfused_schedule(page: Page, model: ff.Model) -> None:
    ratio = ff.compile(model, "unfused").simulate().cycles / ff.compile(model, "partial").simulate().cycles
    expect(page.locator('.ff-summary [data-fact="speedup over unfused"]')).to_have_text(f"{ratio:.2f}×")


def test_the_estimate_is_that_of_the_api(page: Page, model: ff.Model) -> None:
    for name in ("unfused", "partial"):
        preset(page, name)
        compiled = ff.compile(model, name)
        expected = ff.estimate(compiled)
        assert estimated_cycles(page) == expected.cycles
        assert fact(page, "estimated cycles") == f"≈ {expected.cycles:,.0f}"
        assert fact(page, "limited by (estimate)") == expected.limiting.name
        help_texts = page.locator(".ff-estimate .ff-fact").evaluate_all("(all) => all.map((each) => each.title)")
        assert f"estimate: {expected.flops:,.0f} floating-point operations" in help_texts
        assert f"estimate: {expected.bytes:,.0f} bytes read and written" in help_texts
        ratio = expected.cycles / exact_cycles(page)
        assert fact(page, "estimate over exact") == f"{ratio:.3f}"


def test_drag_selects_and_fuses(page: Page, model: ff.Model) -> None:
    preset(page, "unfused")
    assert page.locator(".ff-picker .ff-card").count() == 8
    page.locator(".ff-picker .ff-zoom button", has_text="fit").click()
    boxes: dict[str, list[float]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".ff-picker g.statement")].map((node) => {
          const { left, top, right, bottom } = node.getBoundingClientRect();
          return [node.id.replace("stmt-", ""), [left, top, right, bottom]];
        }))"""
    )
    first, second = boxes["sparse_mm"], boxes["linear_mul"]
    left, top = (min(one, other) - 2 for one, other in zip(first[:2], second[:2], strict=True))
    right, bottom = (max(one, other) + 2 for one, other in zip(first[2:], second[2:], strict=True))
    # What lies between the two depends on the layout, and so on the fonts.
    inside = [
        n for n, (x0, y0, x1, y1) in boxes.items() if left <= (x0 + x1) / 2 <= right and top <= (y0 + y1) / 2 <= bottom
    ]
    assert {"sparse_mm", "linear_mul"} <= set(inside)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=6)
    page.mouse.up()
    expect(page.locator(".ff-fuse")).to_have_text(f"fuse {len(inside)} selected")
    before = version(page)
    page.locator(".ff-fuse").click()
    await_drawn(page, before)
    assert fact(page, "kernels") == f"{8 - len(inside) + 1}"
    preset(page, "partial")


def test_an_illegal_choice_is_said_and_not_applied(page: Page) -> None:
    before = version(page)
    python(
        page,
        "bench.picker._received(None, {'action': 'group', 'arguments': {'statements': ['sparse_mm', 'relu']}}, [])",
    )
    notice = page.locator(".ff-picker .ff-error")
    expect(notice).to_contain_text("wait for each other")
    assert version(page) == before
    notice.locator(".ff-close").click()
    expect(notice).to_have_count(0)


def test_a_refused_control_shows_the_schedule_again(page: Page) -> None:
    picker = page.locator(".ff-picker")
    seen = []
    for label, value in (("blocks", "4"), ("lanes of conv2", "i ×4"), ("blocks", "16")):
        if label != "blocks":  # accepted here and refused in the kernel, as a list from before an edit would be
            python(page, "setattr(bench.picker, '_apply', lambda *_, **__: bench.picker.preset('nosuch'))")
        control = picker.get_by_label(label, exact=True)
        control.select_option(value)
        expect(picker.locator(".ff-error")).to_be_visible()
        expect(control).to_have_value("none")
        seen.append(fact(page, "nodes"))
        python(page, "bench.picker.__dict__.pop('_apply', None) and None")
        picker.locator(".ff-close").click()
    assert len(set(seen)) == 1


def test_table_and_graph_select_each_other(page: Page) -> None:
    cell = page.locator(".ff-table td button", has_text="ValRead").first
    cell.click()
    chosen = page.locator(".ff-graph g.block.ff-chosen")
    expect(chosen).to_have_count(2 if "2" in (cell.get_attribute("title") or "") else 1)
    node = page.locator(".ff-graph g.block#node-intersect_k")
    node.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ff-table td button.ff-chosen").first).to_contain_text("∩k")
    expect(page.locator(".ff-node-name")).to_have_text("intersect_k")
    page.keyboard.press("Escape")
    expect(page.locator(".ff-graph g.block.ff-chosen")).to_have_count(0)


def test_a_tooltip_says_what_an_edge_is(page: Page) -> None:
    edge = page.locator('[id="flow-relu->sparse_mm_1"]')
    assert "relu is stored, then read by sparse_mm_1" in (edge.locator("title").text_content() or "")
    assert "a boundary" in (edge.get_attribute("aria-label") or "")
    node = page.locator(".ff-graph g.block#node-intersect_k title")
    assert "k" in (node.text_content() or "")


def test_search_colours_and_following(page: Page, model: ff.Model) -> None:
    page.locator(".ff-search").fill("weight")
    expect(page.locator(".ff-found")).to_contain_text("found")
    assert page.locator(".ff-graph g.ff-hit-node").count() == int(page.locator(".ff-found").inner_text().split()[0])
    page.locator(".ff-search").fill("")
    page.locator(".ff-colour").select_option("busy")
    result = ff.compile(model, "partial").simulate().kernels[0].result
    badge = page.locator(".ff-graph g.block#node-accumulate_linear_mul .ff-badge")
    share = result.node("accumulate_linear_mul").busy_cycles / result.cycles
    expect(badge).to_have_text(f"{int(share * 100 + 0.5)} %")
    page.locator(".ff-colour").select_option("kind")
    page.locator(".ff-graph g.block#node-intersect_k").click()
    page.locator(".ff-detail .ff-jump").first.click()
    expect(page.locator(".ff-node-name")).not_to_have_text("intersect_k")


def test_a_run_starts_and_is_cancelled(page: Page, model: ff.Model) -> None:
    tab(page, "run")
    page.locator(".ff-start").click()
    page.wait_for_selector('.ff-run[data-state="done"]')
    cycles = ff.compile(model, "partial").simulate().cycles
    expect(page.locator('.ff-run [data-fact="cycles"]')).to_have_text(f"{cycles:,}")
    assert f"{cycles:,}" in page.locator(".ff-words").inner_text()
    assert page.locator(".ff-timeline svg").count() == 2
    # One meaning of "share": of the kernel's cycles, as the words and the colours of the graph have it.
    kernel = ff.compile(model, "partial").simulate().kernels[0].result
    rows: list[list[str]] = page.evaluate(
        """() => [...document.querySelector(".ff-timeline svg").querySelectorAll("g")].map((row) =>
          [row.querySelector("title").textContent.split(":")[0], row.querySelector("text:last-child").textContent])"""
    )
    shares = {name: kernel.node(name).busy_cycles / kernel.cycles for name, _ in rows}
    assert len(rows) == len(kernel.nodes) and min(shares.values()) < 0.005
    for name, text in rows:
        assert text == ("< 1 %" if 0 < shares[name] < 0.005 else f"{int(100 * shares[name] + 0.5)} %"), name


def test_the_comparison_grows(page: Page) -> None:
    tab(page, "compare")
    first = exact_cycles(page)  # a schedule can be added once its cycles are there
    page.locator(".ff-add").click()
    page.wait_for_function("document.querySelectorAll('.ff-compare tbody tr').length === 1")
    preset(page, "full")
    page.wait_for_function(
        "old => { const { exact, cycles } = document.querySelector('.ff-summary').dataset; "
        "return exact === 'done' && cycles !== old; }",
        arg=str(first),
    )
    page.locator(".ff-add").click()
    page.wait_for_function("document.querySelectorAll('.ff-compare tbody tr').length === 2")
    expect(page.locator(".ff-compare thead th").nth(4)).to_have_text("speedup over partial")
    page.wait_for_selector(".ff-compare .ff-chart path[data-schedule=partial]")
    page.locator(".ff-compare .ff-chart path[data-schedule=partial]").first.click()
    expect(page.locator(".ff-preset[aria-pressed=true]")).to_have_text("partial")
    exact_cycles(page)


def test_blocks_are_chosen_beside_the_lanes(page: Page, model: ff.Model) -> None:
    before = version(page)
    page.locator(".ff-blocks").select_option("2")
    await_drawn(page, before)
    tiled = ff.compile(model, ff.Schedule.partial(model).with_blocks(2))
    page.wait_for_function(
        "cycles => document.querySelector('.ff-summary').dataset.exact === 'done' && "
        "document.querySelector('.ff-summary').dataset.cycles === cycles",
        arg=str(tiled.simulate().cycles),
    )
    preset(page, "partial")
    expect(page.locator(".ff-blocks")).to_have_value("none")
    exact_cycles(page)


def test_code_is_copied(page: Page) -> None:
    page.locator(".ff-copy").click()
    assert "ff.Schedule.partial(model)" in page.locator(".ff-code").input_value()
    expect(page.locator(".ff-reached")).to_have_text("copied to the clipboard")
    assert "ff.compile(model, schedule)" in page.evaluate("navigator.clipboard.readText()")
    page.locator(".ff-code-close").click()
    expect(page.locator(".ff-code")).to_be_hidden()
    expect(page.locator(".ff-copy")).to_be_focused()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.keyboard.press("Enter")
    expect(page.locator(".ff-reached")).to_contain_text("cannot be reached from this page: press Ctrl+C")
    expect(page.locator(".ff-code")).to_be_focused()
    page.evaluate("() => { delete navigator.clipboard.writeText; }")
    page.keyboard.press("Escape")
    expect(page.locator(".ff-code")).to_be_hidden()


def test_the_stepper_steps(lab: Lab, browser: Browser) -> None:
    cell = (
        "import fuseflow as ff, fuseflow_widgets as fw, numpy as np\n"
        "A = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 5]])\n"
        "model = ff.einsum('y[i] = A[i,j] * x[j]', A=ff.FiberTree.from_dense(A, 'csr'), x=np.array([1, 0, 2, 3]))\n"
        "stepper = fw.StreamStepper(model)\nstepper"
    )
    page = browser.page(height=1200)
    open_notebook(lab, page, lab.write("stepper.ipynb", [cell]))
    run_all(page)
    page.wait_for_selector(".ff-stepper g.block")
    moments = python(page, "stepper.history['moments']")
    for _ in range(4):
        page.locator(".ff-step").click()
    expect(page.locator(".ff-stepper")).to_have_attribute("data-cycle", str(moments[4]))
    # The page is ahead of the kernel by a message.
    end = time.monotonic() + 60
    while python(page, "stepper.cycle") != moments[4]:
        assert time.monotonic() < end, "the kernel never heard of the step"
    page.locator(".ff-stepper .ff-pane").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".ff-stepper")).to_have_attribute("data-cycle", str(moments[3]))
    words = dict(map(tuple, python(page, "stepper.history['says']['scan_A_j']")))
    assert words[moments[3]] in page.locator(".ff-says").inner_text()
    page.locator(".ff-play").click()
    page.wait_for_function(
        "(cycle) => Number(document.querySelector('.ff-stepper').dataset.cycle) > cycle + 2", arg=moments[3]
    )
    page.locator(".ff-play").click()
    page.locator(".ff-jump-to").fill("0")
    page.locator(".ff-jump-to").press("Enter")
    expect(page.locator(".ff-stepper")).to_have_attribute("data-cycle", "0")
    last = python(page, "stepper.history['cycles']")
    field = page.locator(".ff-jump-to")
    for asked, reached in (("999", last), ("", last), ("-3", 0), ("", 0), ("2", 2)):
        field.fill(asked)
        field.press("Enter")
        expect(field).to_have_value(str(reached))
        expect(page.locator(".ff-stepper")).to_have_attribute("data-cycle", str(reached))
    browser.require_clean()
    page.context.close()


def test_a_tensor_stands_beside_the_steps_as_a_tree_and_as_a_matrix(lab: Lab, browser: Browser) -> None:
    cell = (
        "import fuseflow as ff, numpy as np\n"
        "A = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 5]], np.float32)\n"
        "model = ff.einsum('y[i] = A[i,j] * x[j]', A=ff.FiberTree.from_dense(A, 'csr'), x=np.array([1, 0, 2, 3]))\n"
        "bench = ff.workbench(model, schedule='full')\nbench"
    )
    page = browser.page(height=1700)
    open_notebook(lab, page, lab.write("beside.ipynb", [cell]))
    run_all(page)
    page.wait_for_selector(".ff-picker g.statement")
    tab(page, "step")
    page.wait_for_selector(".ff-stepper g.ff-queues", state="attached")
    stepper, tree = page.locator(".ff-stepper").bounding_box(), page.locator(".ff-tree").bounding_box()
    assert stepper and tree
    assert tree["x"] >= stepper["x"] + stepper["width"] and abs(tree["y"] - stepper["y"]) < 20
    assert page.locator(".ff-tree .ff-matrix td button").all_inner_texts() == ["2", "1", "3", "4", "5"]
    page.locator(".ff-tree .ff-fiber-node[role=button]").nth(2).click()
    expect(page.locator(".ff-tree .ff-matrix td button.ff-chosen")).to_have_text("3")
    page.locator(".ff-tensor").select_option("x")
    expect(page.locator(".ff-tree .ff-matrix td button")).to_have_text(["1", "0", "2", "3"])
    browser.require_clean()
    page.context.close()


def test_tokens_can_be_told_apart_when_all_of_the_graph_is_in_view(lab: Lab, browser: Browser) -> None:
    cell = "import fuseflow as ff, fuseflow_widgets as fw\nstepper = fw.StreamStepper(ff.course.examples.matvec())\nstepper"
    page = browser.page(height=1200)
    open_notebook(lab, page, lab.write("queues.ipynb", [cell]))
    run_all(page)
    page.wait_for_selector(".ff-stepper g.ff-queues", state="attached")
    page.locator(".ff-stepper .ff-zoom button", has_text="fit").click()
    most = 0
    for cycle in python(page, "stepper.history['moments']"):
        python(page, f"setattr(stepper, 'cycle', {cycle})")
        expect(page.locator(".ff-stepper")).to_have_attribute("data-cycle", str(cycle))
        boxes: list[list[float]] = page.evaluate(
            """() => [...document.querySelectorAll(".ff-queue")].filter((each) => each.textContent).map((each) => {
              const { left, top, right, bottom } = each.querySelector("rect").getBoundingClientRect();
              return [left, top, right, bottom];
            }).filter(([left, , right]) => right > left)"""
        )
        most = max(most, len(boxes))
        assert all(bottom - top >= 10 for _, top, _, bottom in boxes), f"tokens too small to be read in cycle {cycle}"
        over = [
            (one, other)
            for at, one in enumerate(boxes)
            for other in boxes[:at]
            if min(one[2], other[2]) - max(one[0], other[0]) > 2 and min(one[3], other[3]) - max(one[1], other[1]) > 2
        ]
        assert not over, f"tokens over one another in cycle {cycle}"
    assert most >= 4
    browser.require_clean()
    page.context.close()
