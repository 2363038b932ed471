"""The page: complete, offline, escaped, labelled, and written whole or not at all."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fuseflow as ff
from fuseflow.comparison import Comparison, compare
from fuseflow.errors import DataError, FuseflowError
from fuseflow.report import check_writable, html, write_report
from fuseflow.report.svg import with_ids

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Checks nesting and collects ids, loads and captions."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "data", "poster", "action") and not (value or "").startswith("#"):
                self.loads.append(f"{tag} {name}={value}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    twin = dataclasses.replace(ff.models.gcn("karate"), dataset="cora", synthetic=True)
    return compare(twin, ["unfused", "full"])


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    return html.render(comparison)


def test_it_parses_and_loads_nothing(page: str) -> None:
    reader = read(page)
    assert not reader.loads
    assert not {"link", "img", "iframe", "object"} & set(reader.counts)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", page)
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:""", page)


def test_ids_are_unique_although_pictures_share_names(page: str) -> None:
    ids = read(page).ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_it_holds_charts_graphs_tables_and_schedules(page: str, comparison: Comparison) -> None:
    reader = read(page)
    regions = [region for compiled in comparison.compiled.values() for region in compiled.regions]
    assert reader.counts["svg"] == 4 + len(regions)
    assert page.count('class="fusion"') == len(regions) == 9
    for region in regions:
        for node in region.graph:
            assert any(each.endswith(f"-node-{node.name}") for each in reader.ids)
    assert "relu for every i" in page
    assert "ff.Schedule(&#x27;full&#x27;" in page
    assert "&quot;fuseflow_schedule&quot;: 1" in page
    assert "docs/fidelity.md" in page
    assert "48,998,261" in page
    assert "prefers-color-scheme: dark" in page


def test_cells_lead_to_nodes_that_are_drawn(page: str) -> None:
    ids = set(read(page).ids)
    places = [place for cell in re.findall(r'data-nodes="([^"]+)"', page) for place in cell.split()]
    assert places
    assert set(places) <= ids


def test_synthetic_data_are_named_beside_every_table_and_chart(page: str) -> None:
    mark = "synthetic twin of cora</span>"
    for element in ("caption", "figcaption"):
        texts = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert texts
        assert all(mark in text for text in texts)
    assert all(mark in text for text in re.findall(r'<p class="caption">(.*?)</p>', page))


def test_real_data_and_no_reference_are_said_to_be_so() -> None:
    page = html.render(compare(ff.models.gcn("karate"), ["partial"]))
    assert "karate (real data)" in page
    assert "synthetic" not in page.replace("ComparisonLike", "")
    assert "has no value for this model, data set, configuration and machine" in page
    assert read(page).counts["svg"] == 3 + 2


def test_names_are_escaped(comparison: Comparison) -> None:
    evil = '<script>alert("x")</script>'
    compiled = comparison.compiled["full"]
    model = dataclasses.replace(compiled.model, name=evil, dataset=evil, notes={evil: evil})
    region = dataclasses.replace(compiled.regions[0], region=ff.Region(evil, (evil,)))
    schedule = ff.Schedule(evil, (ff.Region(evil, (evil,)),))
    forged = comparison[comparison.schedule == "full"].assign(schedule=evil, model=evil, dataset=evil, baseline=evil)
    forged._compiled = {evil: dataclasses.replace(compiled, model=model, schedule=schedule, regions=(region,))}
    forged._runs = {evil: comparison.runs["full"]}
    page = html.render(forged)
    read(page)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_a_graph_without_picture_says_why(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise FuseflowError("no Graphviz <here>")

    monkeypatch.setattr(html, "to_svg", fail)
    page = html.render(comparison)
    assert "No picture: no Graphviz &lt;here&gt;" in page
    monkeypatch.setattr(html, "MAX_DRAWN_NODES", 20)
    assert "No picture above 20 nodes" in html.render(comparison)


def test_the_file_is_written_whole(comparison: Comparison, page: str, tmp_path: Path) -> None:
    path = write_report(comparison, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.html"
    assert path.read_text(encoding="utf-8") == page
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert comparison.report(tmp_path).read_text(encoding="utf-8") == page


def test_a_failure_leaves_the_old_report_and_nothing_else(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("old")

    def fail(*_: object) -> str:
        raise DataError("no chart")

    monkeypatch.setattr(html, "chart_svg", fail)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(DataError, match="no chart"):
            write_report(comparison, folder)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write the report into .*inner: .*file is a file; give the path"):
        check_writable(tmp_path / "file" / "inner", "the report")
    check_writable(tmp_path / "a" / "b", "the report")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(DataError, match="Permission denied; give a folder that you may write to, or change its perm"):
        check_writable(tmp_path, "the report")


def test_what_did_not_come_from_compare_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write a report: the comparison has no rows"):
        write_report(comparison.head(0), tmp_path)
    with pytest.raises(DataError, match=r"row 'other' has nothing compiled behind it; pass what fuseflow\.compare"):
        write_report(comparison.assign(schedule="other"), tmp_path)


def test_ids_are_renamed_in_tags_only() -> None:
    svg = '<g id="a" clip-path="url(#c)"><a xlink:href="#a"><text title="x > id"> id="a" url(#c)</text></a></g>'
    wanted = (
        '<g id="p-a" clip-path="url(#p-c)"><a xlink:href="#p-a"><text title="x > id"> id="a" url(#c)</text></a></g>'
    )
    assert with_ids(svg, "p-") == wanted


def test_lanes_have_their_use() -> None:
    """A table per kernel with lanes, as Run.lanes() counts them; none where there are no lanes."""
    model = ff.models.gcn("karate", hidden=4)
    spread = dataclasses.replace(ff.Schedule.partial(model), name="spread").with_lanes(ff.Lanes("i", 3))
    found = compare(model, ["partial", spread])
    page = html.render(found)
    read(page)
    use = found.runs["spread"].lanes()
    assert len(use) == 6
    assert page.count("<summary>Lanes of ") == 2 == page.count('class="lanes"')
    before, after = page.split("<h2>Schedule spread</h2>")
    assert "Lanes of" not in before
    for row in use.itertuples():
        cells = f"<td>{row.nodes}</td><td>{row.busiest}</td><td>{row.busy_cycles:,}</td>"
        assert f'<th scope="row">{row.lane}</th>{cells}<td><span class="bar" style="--part: {row.use:.3f}">' in after
    assert "3 lanes, busy" in after and "mean over most" in after
    # The estimate says the same of its own counters.
    estimated = ff.estimate(found.compiled["spread"])
    wanted = use.set_index(["kernel", "lane"])["use"]
    assert estimated.lanes().set_index(["kernel", "lane"])["use"].to_dict() == pytest.approx(wanted.to_dict(), abs=0.15)
    assert estimated.explain().count("    3 lanes, busy ") == 2
    assert "lanes" not in ff.estimate(model, "partial").explain()
