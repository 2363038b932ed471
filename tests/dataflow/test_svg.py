"""SVG through either Graphviz, and clear words when there is none or it fails."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from fuseflow.dataflow import Graph, mimebundle, svg, to_dot, to_svg
from fuseflow.dataflow.show import scaled
from fuseflow.errors import FuseflowError
from tests.dataflow.graphs import spmm, total

NAMESPACE = "{http://www.w3.org/2000/svg}"


def ids(text: str) -> set[str]:
    return {found for each in ET.fromstring(text).iter(f"{NAMESPACE}g") if (found := each.get("id"))}


@pytest.fixture
def only_pygraphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)


@pytest.fixture
def no_graphviz(only_pygraphviz: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg, "find_spec", lambda name: None)


def fake_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(path))


def check(text: str) -> None:
    assert text.startswith("<svg")
    found = ids(text)
    assert {f"node-{node.name}" for node in spmm().nodes} <= found
    assert {"part-iteration", "part-compute", "part-construction", "legend"} <= found
    assert "edge-scan_A_k.ref-intersect_k.in0" in found


def test_the_graphviz_that_is_there_draws() -> None:
    check(to_svg(spmm()))


def test_pygraphviz_alone_draws(only_pygraphviz: None) -> None:
    check(to_svg(replace(spmm(), name="without dot")))


def test_dot_text_is_taken_too() -> None:
    assert to_svg(to_dot(total())) == to_svg(total())


def test_the_same_text_is_laid_out_once(monkeypatch: pytest.MonkeyPatch, no_graphviz: None) -> None:
    monkeypatch.undo()
    first = to_svg(spmm())
    monkeypatch.setattr("shutil.which", lambda name: pytest.fail("laid out again"))
    assert to_svg(spmm()) is first


def fresh(name: str) -> Graph:
    return replace(total(), name=name)


def test_no_graphviz_names_both_fixes(no_graphviz: None) -> None:
    with pytest.raises(FuseflowError, match=r"no Graphviz to draw with: .*install Graphviz \(.*pip install pygraphviz"):
        to_svg(fresh("none"))


def test_layout_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "exec sleep 30")
    with pytest.raises(FuseflowError, match=r"did not lay out \d+ streams within 0\.1 s; draw a smaller region"):
        to_svg(fresh("slow"), timeout_seconds=0.1)


def test_layout_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "cat >/dev/null; echo 'no such plugin' >&2; exit 1")
    with pytest.raises(FuseflowError, match=r"Graphviz \(dot\) could not draw the graph: no such plugin"):
        to_svg(fresh("broken"))


def test_layout_that_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "cat >/dev/null")
    with pytest.raises(FuseflowError, match="could not draw the graph: it gave no SVG"):
        to_svg(fresh("silent"))


def test_dot_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: str(tmp_path / "gone"))
    with pytest.raises(FuseflowError, match=r"could not be started: .*repair it or take it off the PATH"):
        to_svg(fresh("gone"))


def test_text_that_is_not_dot() -> None:
    with pytest.raises(FuseflowError, match="could not draw the graph"):
        to_svg("this is not DOT")


def test_notebook_bundle() -> None:
    bundle = mimebundle(spmm())
    assert bundle["text/plain"].startswith("Graph spmm: 16 nodes")
    assert bundle["image/svg+xml"].startswith("<svg")


def test_a_picture_is_never_wider_than_its_cell() -> None:
    wide = '<svg width="1109pt" height="1748pt"\n viewBox="0.00 0.00 1108.89 1748.23" xmlns="x">'
    assert scaled(wide) == (
        '<svg style="max-width:100%;height:auto" width="100%"\n viewBox="0.00 0.00 1108.89 1748.23" xmlns="x">'
    )
    narrow = wide.replace("1109pt", "300pt")
    assert scaled(narrow) == narrow.replace("<svg ", '<svg style="max-width:100%;height:auto" ')
    assert 'viewBox="' in mimebundle(spmm())["image/svg+xml"]


def test_notebook_bundle_says_why_there_is_no_picture(no_graphviz: None) -> None:
    bundle = mimebundle(fresh("no picture"))
    assert "image/svg+xml" not in bundle
    assert "(no picture: no Graphviz to draw with" in bundle["text/plain"]


def test_notebook_bundle_of_a_large_graph_is_text() -> None:
    bundle = mimebundle(replace(spmm(), nodes=spmm().nodes * 26))
    assert list(bundle) == ["text/plain"]
    assert bundle["text/plain"].endswith("(no picture above 400 nodes; to_svg(graph) draws it all the same)")
