"""Every recorded case: the reference's to the token, stamp, clock and counter, SAM's in function."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fuseflow.sim.replay import Engine, Known, Outcome, Replay, replay
from tests.sim.conformance import EXPRESSIONS, PRIMITIVES, TIMED, folder

pytestmark = pytest.mark.skipif(
    not folder().is_dir(),
    reason=f"no folder {folder()}; set FUSEFLOW_CONFORMANCE to where {TIMED} is",
)


@pytest.fixture(scope="module")
def everything() -> Replay:
    return replay([folder()])


def test_everything_passes(everything: Replay) -> None:
    assert everything.failed == 0, everything.report()
    assert not everything.of(Outcome.LEFT_OUT)
    assert everything.report().endswith(f"\n{everything.passed} passed, 0 failed")


def test_every_timed_case_is_exact_but_for_one_maximum(everything: Replay) -> None:
    timed = [case for case in everything.cases if case.path.endswith(TIMED)]
    assert len(timed) >= 64
    assert [case.name for case in timed if case.outcome is Outcome.KNOWN] == ["unit_maxreduce_2d"]


def test_known_differences_to_sam(everything: Replay) -> None:
    known = [case for case in everything.of(Outcome.KNOWN) if case.path.endswith(PRIMITIVES)]
    reasons = {note.partition(":")[0] for case in known for note in case.notes}
    assert reasons == {"scanner-empty-reference", "scanner-skip", "intersect-skip"}
    assert len(Known) <= 8


def test_every_expression_is_right_in_the_order_asked_for(everything: Replay) -> None:
    cases = [case for case in everything.cases if case.path.endswith(EXPRESSIONS)]
    assert len(cases) >= 28
    assert {case.outcome for case in cases} == {Outcome.PASSED}


def changed(tmp_path: Path, file: str, name: str, change: Callable[[dict[str, Any]], None]) -> Replay:
    """A replay of the one case ``name`` of ``file`` after ``change``."""
    cases = json.loads((folder() / file).read_text())["cases"]
    (case,) = [copy.deepcopy(each) for each in cases if name in (each.get("name"), each.get("id"))]
    change(case)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps({"cases": [case]}))
    return replay([path])


def set_at(*keys: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(case: dict[str, Any]) -> None:
        place: Any = case
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("keys", "value", "note"),
    [
        (("streams", "v2", 0), ["10.0", 5], "stream v2, token 0: 10.0@4, not 10.0@5"),
        (("streams", "v2", 0), ["11.0", 4], "stream v2, token 0: 10.0, not 11.0, at 4"),
        (("streams", "v2"), [["10.0", 4]], "stream v2 has 7 tokens, not 1"),
        (("streams", "v9"), [], "stream v9 belongs to no operation"),
        (("ops", 1, "final_clock"), [14], "final clock of reduce_1 is [15], not [14]"),
        (("elapsed",), 19, "elapsed cycles are 18, not 19"),
        (("metric_sums",), {"Reduce count": 8}, "metric sums are {'Reduce count': 9}, not {'Reduce count': 8}"),
    ],
)
def test_every_part_of_a_timed_case_is_compared(tmp_path: Path, keys: tuple[Any, ...], value: Any, note: str) -> None:
    found = changed(tmp_path, TIMED, "unit_reduce_2d", set_at(*keys, value=value))
    assert found.failed == 1
    for engine in Engine:
        assert f"{engine.value}: {note}" in found.cases[0].notes


def test_a_maximum_may_differ_only_as_the_reference_is_wrong(tmp_path: Path) -> None:
    found = changed(tmp_path, TIMED, "unit_maxreduce_2d", set_at("streams", "v2", 4, value=["-4.0", 15]))
    assert found.cases[0].notes == tuple(
        f"{engine.value}: stream v2, token 4: -3.0, not -4.0, at 15" for engine in Engine
    )
    found = changed(tmp_path, TIMED, "unit_maxreduce_2d", set_at("streams", "v2", 0, value=["0.0", 4]))
    assert "compiled: stream v2, token 0: 5.0, not 0.0, at 4" in found.cases[0].notes


def test_a_known_difference_excuses_nothing_else(tmp_path: Path) -> None:
    name = "rd_scanner.rd_scan_direct_c_0tkn_nd[arrs0]"
    wrong = ["0", 1, "S0", 2, "S0", "N", "S0", 4, "S0", "N", "S1", "D"]
    found = changed(tmp_path, PRIMITIVES, name, set_at("outputs", "crd", value=wrong))
    note = "output 'crd' is 0 1 S0 2 S0 S0 3 S0 S1 D, not 0 1 S0 2 S0 S0 4 S0 S1 D"
    assert found.cases[0].notes == tuple(f"{engine.value}: {note}" for engine in Engine)
    name = "rd_scanner.rd_scan_direct_c_skip_nd[arrs0]"
    found = changed(tmp_path, PRIMITIVES, name, set_at("outputs", "crd", value=[2, 11, "S0", "D"]))
    assert found.cases[0].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("keys", "value", "fault"),
    [
        (("ops", 1, "op"), "reduse", r"case 'unit_reduce_2d', ops\[1\]: operation 'reduse' is not understood; known:"),
        (("ops", 1, "input_val"), "v7", r"stream 'v7' is read by reduce_1, stream v7 but no operation writes it"),
        (("ops", 2, "input"), "v1", r"stream 'v1' is read here and by reduce_1, stream v1; use a broadcast"),
        (("ops", 1, "output_val"), "v1", r"stream 'v1' is written here and by generator_0"),
        (("ops", 0, "tokens"), ["x", "D"], r"token 0 of a val stream is 'x'"),
        (("ops",), {}, r"field 'ops' must be of type list, not dict"),
        (("ops", 0), 3, r"ops\[0\] must be an object, not int"),
        (("elapsed",), "18", r"field 'elapsed' must be of type int, not str: '18'"),
        (("streams", "v2", 0), [1], r"entry 0 of stream 'v2' must be \[token, stamp\]"),
        (("hbm",), {"channels": 8}, r"hbm: has no field 'latency'"),
        (("hbm",), {"channels": 0}, r"hbm: field 'channels' must be from 1 to 4096, not 0"),
    ],
)
def test_corrupt_timed_cases(tmp_path: Path, keys: tuple[Any, ...], value: Any, fault: str) -> None:
    from fuseflow.errors import DataError

    with pytest.raises(DataError, match=fault) as caught:
        changed(tmp_path, TIMED, "unit_reduce_2d", set_at(*keys, value=value))
    assert "changed.json" in str(caught.value)


def test_a_primitive_without_anything_to_compare(tmp_path: Path) -> None:
    from fuseflow.errors import DataError

    with pytest.raises(DataError, match=r"has neither 'outputs' nor 'memory', so there is nothing to compare"):
        changed(tmp_path, PRIMITIVES, "compute.add_1d[False-False-16]", set_at("outputs", value={}))
