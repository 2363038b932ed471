"""Replay: which files it reads, and the rules behind the known differences, on cases of our own."""

import json
from pathlib import Path
from typing import Any

import pytest

from fuseflow.errors import DataError
from fuseflow.sim.replay import Engine, Outcome, Replay, replay


def primitive(tmp_path: Path, name: str, inputs: Any, outputs: Any = None, params: Any = None, **more: Any) -> Replay:
    case = {"id": "own", "primitive": name, "params": params or {}, "inputs": inputs, "outputs": outputs or {}, **more}
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"cases": [case]}))
    return replay([path])


def outcome(found: Replay) -> tuple[Outcome, str]:
    (case,) = found.cases
    return case.outcome, " ".join(case.notes).partition(":")[0]


def words(text: str) -> list[Any]:
    return [int(word) if word.isdigit() else word for word in text.split()]


def test_a_writer_of_empty_fibers_differs_from_sam(tmp_path: Path) -> None:
    crd = {"crd": words("0 S0 S0 2 S1 D")}
    found = primitive(tmp_path, "fiberwrite_compressed", crd, memory={"crd": [0, 2], "seg": [0, 1, 2]})
    assert outcome(found) == (Outcome.KNOWN, "writer-empty-fiber")
    found = primitive(tmp_path, "fiberwrite_compressed", crd, memory={"crd": [0, 2], "seg": [0, 2]})
    assert outcome(found)[0] is Outcome.FAILED


def test_memory_may_be_filled_up(tmp_path: Path) -> None:
    val = {"val": words("5 6 S0 D")}
    params = {"size": 4, "fill": 9}
    assert outcome(primitive(tmp_path, "fiberwrite_vals", val, params=params, memory={"vals": [5, 6, 9, 9]}))[0] is (
        Outcome.PASSED
    )
    assert primitive(tmp_path, "fiberwrite_vals", val, params=params, memory={"vals": [5, 6, 9, 8]}).failed


def test_rows_that_come_twice(tmp_path: Path) -> None:
    inputs = {"outer_crdpt": words("0 0 1 0 D"), "inner_crdpt": words("0 2 1 2 D"), "val": words("1 2 3 4 D")}
    merged = {"outer_crd": words("0 1 S0 D"), "inner_crd": words("0 2 S0 1 S1 D"), "val": words("1 6 S0 3 S1 D")}
    assert outcome(primitive(tmp_path, "spaccumulator_1", inputs, merged)) == (
        Outcome.KNOWN,
        "accumulator-repeated-row",
    )
    assert outcome(primitive(tmp_path, "spaccumulator_2", inputs, merged))[0] is Outcome.PASSED
    merged["val"] = words("1 7 S0 3 S1 D")
    assert primitive(tmp_path, "spaccumulator_1", inputs, merged).failed == 1


def test_no_points(tmp_path: Path) -> None:
    inputs = {"outer_crdpt": ["D"], "inner_crdpt": ["D"], "val": ["D"]}
    assert primitive(tmp_path, "spaccumulator_2", inputs, {"outer_crd": ["S0", "D"]}).passed == 1
    assert primitive(tmp_path, "spaccumulator_1", inputs, {"outer_crd": ["S0", "D"]}).passed == 1


def test_n_among_coordinates(tmp_path: Path) -> None:
    inputs = {
        "crd1": words("N S0 D"), "ref1": words("N S0 D"), "crd2": words("3 S0 D"), "ref2": words("0 S0 D"),
    }  # fmt: skip
    outputs = {"crd": words("N 3 S0 D"), "ref1": words("N N S0 D"), "ref2": words("N 0 S0 D")}
    assert outcome(primitive(tmp_path, "union", inputs, outputs)) == (Outcome.KNOWN, "joiner-empty-coordinate")


def test_a_dimension_of_size_0(tmp_path: Path) -> None:
    outputs = {"crd": words("0 S0 D"), "ref": words("0 S0 D")}
    found = primitive(tmp_path, "fiberlookup_dense", {"ref": [0, "D"]}, outputs, {"dim": 0})
    assert outcome(found) == (Outcome.KNOWN, "scanner-extent-0")


def test_negated_sums_and_stores(tmp_path: Path) -> None:
    inputs = {"val1": words("1 S0 D"), "val2": words("3 S0 D")}
    params = {"neg1": True, "neg2": True}
    assert primitive(tmp_path, "add", inputs, {"val": [-4, "S0", "D"]}, params).passed == 1
    params = {"neg1": True, "neg2": False}
    assert primitive(tmp_path, "add", inputs, {"val": [2, "S0", "D"]}, params).passed == 1
    store = {"store_ref": words("1 0 S0 D"), "store_val": words("7 8 S0 D")}
    assert outcome(primitive(tmp_path, "arrayvals", store, memory={"vals": [8, 7]}))[0] is Outcome.LEFT_OUT


def test_what_was_not_compared_is_no_success(tmp_path: Path) -> None:
    found = primitive(tmp_path, "bitvector", {}, {})
    _, left_out, reason, last = found.report().splitlines()
    assert left_out == "  left out: own" and reason.startswith("    no case of 'bitvector' can be run; those of add, ")
    assert last == "0 passed, 0 failed, 1 left out, not compared" and not found.ok


@pytest.mark.parametrize("engine", list(Engine))
def test_cases_of_primitives_run_in_the_engine_that_is_asked_for(tmp_path: Path, engine: Engine) -> None:
    cases = [
        {"primitive": "mul", "inputs": {"val1": words("2 S0 D"), "val2": words("3 S0 D")}, "outputs": {"val": [6, "S0"]}},
        {"primitive": "mul", "inputs": {"val1": words("2 S0 D"), "val2": words("3 S1 D")}, "outputs": {"val": ["D"]}},
        {"primitive": "fiberlookup_compressed", "inputs": {"ref": words("1 0 S0 D")}, "params": {"seg": [0, 1, 3], "crd": [4, 2, 5]},
         "outputs": {"crd": words("2 5 S0 4 S1 D"), "ref": words("1 2 S0 0 S1 D")}},
        {"primitive": "fiberwrite_compressed", "inputs": {"crd": words("1 3 S0 2 S1 D")}, "memory": {"crd": [1, 3, 2], "seg": [0, 2, 3]}},
    ]  # fmt: skip
    path = tmp_path / "own.json"
    path.write_text(
        json.dumps({"cases": [{"id": str(number), "params": {}, **case} for number, case in enumerate(cases)]})
    )
    found = replay([path], engines=[engine])
    wrong, misfit, scan, write = found.cases
    assert wrong.notes == (f"{engine.value}: output 'val' is 6 S0 D, not 6 S0",)
    assert misfit.outcome is Outcome.FAILED
    assert misfit.notes[0].startswith(f"{engine.value}: does not run: unit, cycle 2: operands do not go together")
    assert scan.outcome is write.outcome is Outcome.PASSED
    both = replay([path]).cases[0].notes
    assert [note.partition(":")[0] for note in both] == ["interpreter", "compiled"]


def test_concat_is_a_primitive_of_ours(tmp_path: Path) -> None:
    crds = {"crd1": words("0 2 S0 S1 D"), "crd2": words("1 S0 3 S1 D")}
    found = primitive(tmp_path, "concat", crds, {"crd": words("0 2 5 S0 7 S1 D")}, {"offsets": [0, 4]})
    assert found.passed == 1 and found.cases[0].notes == ()
    assert primitive(tmp_path, "concat", crds, {"crd": words("0 2 5 S0 8 S1 D")}, {"offsets": [0, 4]}).failed == 1
    vals = {"val1": words("5 S0 D"), "val2": words("S0 D"), "val3": words("N 6 S0 D")}
    assert primitive(tmp_path, "concat", vals, {"val": words("5 N 6 S0 D")}).passed == 1
    misfit = primitive(tmp_path, "concat", crds, {"crd": ["D"]}, {"offsets": [0, 2]})
    said = "does not run: unit, cycle 2: coordinate not below 2: 2 at unit, input 0 (token 1 of the stream)"
    assert [note.partition(": ")[2].partition(";")[0] for note in misfit.cases[0].notes] == [said, said]


@pytest.mark.parametrize(
    ("inputs", "params", "match"),
    [
        ({}, {}, "params: a concat needs 1 input or more, not 0"),
        ({"crd1": ["D"], "crd2": ["D"]}, {"offsets": [0]}, r"a concat needs an offset for each of its 2 inputs"),
        ({"val1": ["D"]}, {"offsets": [0]}, r"a concat has offsets \(0,\) for val payloads"),
        ({"val1": ["D"], "crd2": ["D"]}, {}, r"params: there is no input 'crd1'; the case has val1, crd2"),
    ],
)
def test_a_concat_that_cannot_be(tmp_path: Path, inputs: Any, params: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        primitive(tmp_path, "concat", inputs, {}, params)


def test_a_case_that_does_not_run_fails(tmp_path: Path) -> None:
    inputs = {"val1": words("1 S0 D"), "val2": words("1 S1 D")}
    found = primitive(tmp_path, "mul", inputs, {"val": ["D"]})
    assert "does not run: unit, cycle 2: operands do not go together: S0 at" in found.cases[0].notes[0]
    assert found.report().endswith("0 passed, 1 failed")
    assert not found.ok
    assert primitive(tmp_path, "mul", inputs, error="AssertionError").ok


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", r"case.json: cannot be read as JSON: Expecting"),
        ("[]", r"case.json: it is no object with a list 'cases'"),
        ('{"cases": []}', r"case.json: its list 'cases' is empty"),
        ('{"cases": [1]}', r"case.json: case 0 is no object"),
        ('{"cases": [{"a": 1}]}', r"case.json: its cases have the fields a, which is no known schema"),
        (
            '{"cases": [{"id": "x", "primitive": "mul", "inputs": {}}, {"id": "y"}]}',
            r"case.json: case 'y' has no field 'primitive'",
        ),
        ('{"cases": [{"id": "x", "primitive": "mul", "inputs": {}}]}', r"case.json, case 'x': has no field 'params'"),
        (
            '{"cases": [{"id": "x", "primitive": "mul", "params": {}, "inputs": {}}]}',
            r"case 'x', params: there is no input 'val1'; the case has none",
        ),
        (
            '{"cases": [{"id": "x", "primitive": "fiberlookup_compressed", "params": {"seg": [0, 3], "crd": [1]},'
            ' "inputs": {"ref": [0, "D"]}}]}',
            r"field 'seg' must rise from 0 to at most 1, the coordinates there are",
        ),
    ],
)
def test_corrupt_and_foreign_files(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(content)
    with pytest.raises(DataError, match=fault):
        replay([path])


def test_paths(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file or folder"):
        replay([tmp_path / "nowhere"])
    (tmp_path / "other.json").write_text('{"package": "x"}')
    with pytest.raises(DataError, match=r"no case file there"):
        replay([tmp_path])
    with pytest.raises(DataError, match=r"no path: no case file there"):
        replay([])
    below = tmp_path / "below"
    below.mkdir()
    primitive(below, "repsiggen", {"crd": words("0 S0 D")}, {"repsig": words("R S D")})
    seen = []
    found = replay([tmp_path, below / "own.json"], seen.append)
    assert (found.passed, found.failed, len(seen)) == (1, 0, 1)
    assert repr(found) == "Replay: 1 passed (0 with a known difference), 0 failed"


def timed(tmp_path: Path, stage: str, clock: int, *engines: Engine) -> Replay:
    """One value through a unary ALU; ``clock`` is what the case says of its final clock."""
    ops = [
        {"op": "generator", "output": "v1", "tokens": [0.0, "D"], "final_clock": [2]},
        {"op": "alu", "stage": stage, "inputs": ["v1"], "output": "v2", "latency": 3, "ii": 2, "final_clock": [clock]},
        {"op": "sink", "input": "v2", "final_clock": [6]},
    ]
    streams = {"v1": [[0.0, 1], ["D", 2]], "v2": [[1.0, 4], ["D", 4]]}
    case = {"name": "own", "channel_capacity": 8, "hbm": None, "ops": ops, "streams": streams, "elapsed": 6}
    path = tmp_path / "timed.json"
    path.write_text(json.dumps({"cases": [{**case, "metric_sums": {"Op count": 1}}]}))
    return replay([path], engines=engines or tuple(Engine))


def test_timed_cases_run_in_both_engines(tmp_path: Path) -> None:
    assert timed(tmp_path, "EXP", 3).passed == 1
    notes = timed(tmp_path, "EXP", 9).cases[0].notes
    assert notes == (
        "interpreter: final clock of alu_1 is [3], not [9]",
        "compiled: final clock of alu_1 is [3], not [9]",
    )
    assert timed(tmp_path, "EXP", 9, Engine.COMPILED).cases[0].notes == notes[1:]


@pytest.mark.parametrize("engine", list(Engine))
def test_a_cosine_runs_in_each_engine(tmp_path: Path, engine: Engine) -> None:
    assert timed(tmp_path, "COS", 3, engine).passed == 1
    assert timed(tmp_path, "SIN", 3, engine).failed == 1  # the sine of 0 is not the 1 of the case


def case_of(tmp_path: Path, *ops: dict[str, Any], capacity: int = 8) -> Replay:
    """``ops`` as a timed case that compares little: its final clocks are wrong, and it has no streams."""
    case = {"name": "own", "channel_capacity": capacity, "hbm": None, "elapsed": 0, "metric_sums": {}}
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"cases": [{**case, "ops": [{"final_clock": [0], **op} for op in ops]}]}))
    return replay([path])


def test_every_engine_has_the_capacity_of_the_case(tmp_path: Path) -> None:
    """The search for depths that the interpreter's deadlock suggests leaves nothing behind for the next engine."""
    found = case_of(
        tmp_path,
        {"op": "generator", "output": "v1", "tokens": ["1", "2", "3", "S0", "D"]},
        {"op": "broadcast", "input": "v1", "outputs": ["v2", "v3"]},
        {"op": "reduce", "reduce_type": "ADD", "input_val": "v2", "output_val": "v4"},
        {"op": "alu", "stage": "ADD", "inputs": ["v4", "v3"], "output": "v5"},
        {"op": "sink", "input": "v5"},
        capacity=1,
    )
    said = "does not run: deadlock: 5 units wait on each other and none can go on"
    assert [note.splitlines()[0] for note in found.cases[0].notes] == [f"interpreter: {said}", f"compiled: {said}"]


SCANNER = {"op": "fiber_lookup", "format": "compressed", "input_ref": "r1", "output_crd": "c1", "output_ref": "r2",
           "seg": [0, 1, 2], "crd": [3, 4]}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "tokens", "match"),
    [
        ({}, "0 -1 S0 D", r"ops\[0\]: token 1 of a ref stream is -1; only values may be negative"),
        ({"timing": {"startup_delay": -9}}, "0 S0 D", r"ops\[1\], timing: field 'startup_delay' must be from 0 to"),
        ({"timing": {"row_size": 0}}, "0 S0 D", r"ops\[1\], timing: field 'row_size' must be from 1 to"),
        ({"timing": {"data_load_factor": -0.5}}, "0 S0 D", r"timing: field 'data_load_factor' must be from 0 to"),
        ({"timing": {"data_load_factor": float("nan")}}, "0 S0 D", r"timing: field 'data_load_factor' must be from 0"),
    ],
)
def test_a_scanner_that_no_machine_has(tmp_path: Path, change: dict[str, Any], tokens: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        case_of(
            tmp_path,
            {"op": "generator", "output": "r1", "tokens": tokens.split()},
            {**SCANNER, **change},
            {"op": "sink", "input": "c1"},
            {"op": "sink", "input": "r2"},
        )


@pytest.mark.parametrize(
    ("op", "match"),
    [
        ({"op": "alu", "stage": "EXP", "inputs": ["v1"], "latency": -5}, r"ops\[1\].*: field 'latency' must be from 0"),
        ({"op": "alu", "stage": "EXP", "inputs": ["v1"], "ii": -1}, r"ops\[1\].*: field 'ii' must be from 0 to"),
        ({"op": "reduce", "reduce_type": "ADD", "input_val": "v1", "N": 0}, r"ops\[1\].*: field 'N' must be from 1 to"),
    ],
)
def test_timings_that_no_machine_has(tmp_path: Path, op: dict[str, Any], match: str) -> None:
    out = "output" if op["op"] == "alu" else "output_val"
    with pytest.raises(DataError, match=match):
        case_of(
            tmp_path,
            {"op": "generator", "output": "v1", "tokens": ["1", "S0", "D"]},
            {**op, out: "v2"},
            {"op": "sink", "input": "v2"},
        )


def test_a_stream_without_its_end(tmp_path: Path) -> None:
    found = case_of(
        tmp_path,
        {"op": "generator", "output": "v1", "tokens": ["1", "2", "S0"]},
        {"op": "reduce", "reduce_type": "ADD", "input_val": "v1", "output_val": "v2"},
        {"op": "sink", "input": "v2"},
    )
    said = (
        "does not run: reduce_1 reads reduce_1, stream v1 at cycle 4 but generator_0, stream v1 has ended after 3 "
        "tokens, without D: a stream ends in D"
    )
    assert found.cases[0].notes == (f"interpreter: {said}", f"compiled: {said}")
