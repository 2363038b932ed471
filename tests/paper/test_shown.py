"""What the notebooks show of a figure: verdicts of a run and of stored rows, charts, commands, and messages."""

import shlex
from pathlib import Path

import pandas as pd
import pytest

from fuseflow.errors import DataError
from fuseflow.paper import EXPERIMENTS, Mode, Request, Shown, chosen, reproduce, shown, stored
from fuseflow.paper.experiment import Experiment, Verdict
from fuseflow.paper.recompute import recompute_rows

DOCS = Path(__file__).parents[2] / "docs" / "paper"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "paper"
FAST = Request(Mode.FAST)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_stored_rows_are_judged_and_drawn(name: str) -> None:
    found = stored(name, DOCS)
    assert found.verdicts and all(verdict.ours not in ("missing", "nan") for verdict in found.verdicts)
    page = found._repr_html_()
    assert page.count("<tr>") == len(found.verdicts) + 1
    assert f"<code>fuseflow paper {name} --mode complete --configuration same-work</code>" in page
    if found.experiment.chart is not None:
        assert found.chart.to_dict()["datasets"]


def test_a_run_and_its_file_are_shown_alike(tmp_path: Path) -> None:
    (made,) = reproduce(chosen(["table4"]), FAST, tmp_path)
    live = shown(made, FAST)
    (tmp_path / "table4" / "data.csv").rename(tmp_path / "table4.csv")
    again = stored("table4", tmp_path, FAST)
    assert live._repr_html_() == again._repr_html_()
    assert '<td style="text-align:right">63,063,000</td>' in live._repr_html_()
    assert repr(live).endswith(
        "4 of 4 claims agree; made by fuseflow paper table4 --mode fast --configuration same-work"
    )
    with pytest.raises(DataError, match="table4 has no chart; show its rows"):
        _ = live.chart
    with pytest.raises(DataError, match="only simulated rows from a file"):
        again.recompute()


def test_the_command_of_a_row_computes_it_again() -> None:
    found = stored("fig18", DOCS)
    command = found.recompute(columns=16, order="jkil", run=2)
    words = shlex.split(command)
    assert words[:6] == ["fuseflow", "paper", "fig18", "--mode", "complete", "--configuration"]
    keys, file = words[words.index("--recompute") + 1].split(","), words[words.index("--against") + 1]
    (again,) = recompute_rows(EXPERIMENTS["fig18"], Request(Mode.COMPLETE), Path(file), keys, 12.0)
    assert again.name == "16 jkil 2" and again.differences == ()


def test_only_rows_of_a_data_file_need_its_folder() -> None:
    graphs = stored("fig14", DOCS)
    assert graphs.recompute(dataset="cora_ml").startswith("FUSEFLOW_DATA=<folder> fuseflow paper fig14 ")
    assert graphs.recompute(dataset="dblp (twin)").startswith("fuseflow paper fig14 ")


def test_reasons_are_given_once_and_as_text() -> None:
    def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
        return [Verdict(what, "<1", "2", 2.0, False, "because of `--x` & <y>") for what in ("one", "two")]

    tiny = Experiment("tiny", "Tiny", "", lambda _: (), lambda frame, _: frame, judge, notes=("a note",))
    rows = pd.DataFrame({"status": ["done", "missing"], "max_rel_error": [1e-7, None]})
    page = Shown(tiny, FAST, rows, judge(rows, FAST))._repr_html_()
    assert "<b>one; two</b>: because of <code>--x</code> &amp; &lt;y&gt;</li>" in page
    assert ">&lt;1</td>" in page and "✗\u00a0differs" in page and "<p>a note</p>" in page
    assert "1 rows simulated, 1 missing; largest relative error of an output 1.0e-07." in page


def test_messages(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"cannot read the stored rows of fig18 in .*`fuseflow paper fig18 --mode compl"
    ):
        stored("fig18", tmp_path)
    with pytest.raises(DataError, match="no figure or table 'fig19'"):
        stored("fig19", DOCS)
    with pytest.raises(DataError, match="name one figure or table, not 'all'"):
        stored("all", DOCS)
    (tmp_path / "fig18.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"is no data.csv of fig18, mode complete: it has no 'columns'"):
        stored("fig18", tmp_path)
    found = stored("fig18", DOCS)
    with pytest.raises(DataError, match="has no column colour; choose among columns, order"):
        found.recompute(colour=1)
    with pytest.raises(DataError, match=r"no row of .* has order='zzzz'"):
        found.recompute(order="zzzz")


def test_a_part_of_a_figure() -> None:
    whole = EXPERIMENTS["fig16a"]
    part = whole.only(lanes=(4, 1))
    assert part.bars(FAST) == tuple(bar for bar in whole.bars(FAST) if dict(bar.labels)["lanes"] in (1, 4))
    assert len(part.bars(FAST)) == 2 and part.name == whole.name and part.judge is whole.judge
    with pytest.raises(DataError, match="no bar of fig16a has these labels; there are lanes: 1, 16, 2, 32, 4, 64, 8"):
        whole.only(lanes=(3,)).bars(FAST)


def test_every_figure_has_its_notebook() -> None:
    """Tables 1 to 4 share one."""
    figures = {name for name in EXPERIMENTS if name.startswith("fig")}
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == figures | {"tables"}
    for path in NOTEBOOKS.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        for name in (path.stem,) if path.stem in figures else (name for name in EXPERIMENTS if name not in figures):
            assert name in text and "docs/paper" in text and "Mode.FAST" in text, f"{path.name}: {name}"
