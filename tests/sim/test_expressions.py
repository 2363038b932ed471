"""Replay of expressions: the recorded ones, variations of them, and files that say something impossible."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuseflow.errors import DataError
from fuseflow.sim.replay import Outcome, replay
from fuseflow.sim.replay.expressions import replay_expression
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult
from tests.sim.expressions import KERNELS, accesses, case, variations

MATMUL = {
    "id": "matmul",
    "expression": "X(i,j)=B(i,k)*C(k,j)",
    "formats": {"X": "ss01", "B": "ss", "C": "ss:0,1"},
    "schedule": "i,k,j",
    "inputs": {"B": [[1, 0], [2, 3]], "C": [[4, 5], [0, 6]]},
    "expected_dense": [[4, 5], [8, 28]],
}


def run(**changes: Any) -> CaseResult:
    return replay_expression("own.json", Record("case 'matmul'", {**MATMUL, **changes}))


def test_variations() -> None:
    """A sample of every kernel in every order; ``python -m tests.sim.expressions`` runs them all."""
    every = list(variations(7))
    assert {made["expression"] for made in every} == {expression for expression, _ in KERNELS.values()}
    chosen = np.random.default_rng(0).choice(len(every), 60, replace=False)
    for number in chosen:
        made = every[number]
        result = replay_expression("variation", Record(made["id"], made))
        assert result.outcome is Outcome.PASSED, (made, result.notes)


def test_empty_operands() -> None:
    rng = np.random.default_rng(3)
    for name in ("matmul", "mttkrp", "residual", "sddmm", "add3"):
        made = case(name, rng)
        names = list(accesses(made["expression"]))[1:]
        empty = {key: np.zeros_like(np.array(made["inputs"][key])).tolist() for key in names}
        expected = np.zeros_like(np.array(made["expected_dense"])).tolist()
        made |= {"inputs": empty, "expected_dense": expected}
        assert replay_expression("own", Record(name, made)).outcome is Outcome.PASSED, name


def test_a_wrong_result_fails() -> None:
    result = run(expected_dense=[[4, 5], [8, 27]])
    assert result.outcome is Outcome.FAILED
    assert result.notes == ("the result at (1, 1) is 28, not 27",)


def test_an_order_against_a_format_reads_a_permuted_copy() -> None:
    result = run(schedule="ijk")
    assert result.outcome is Outcome.PASSED
    assert result.notes == ("reads permuted copies of C",)


def test_an_order_that_no_single_graph_has() -> None:
    expression = {"expression": "X(i,j)=B(i,k)*C(k,j)+D(i,j)", "schedule": "kij"}
    inputs = {**MATMUL["inputs"], "D": [[0, 1], [0, 0]]}
    result = run(**expression, inputs=inputs, expected_dense=[[4, 6], [8, 28]])
    assert result.outcome is Outcome.PASSED
    assert result.notes[0] == "reads permuted copies of B"
    assert result.notes[1].startswith("one graph per operator: region 'all': X_1 accumulates over i j")


def test_part_of_an_order_and_none() -> None:
    assert run(schedule="i").outcome is Outcome.PASSED
    assert run(schedule=None).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expression": "X(i,j)"}, "must be of the form X(i,j)=B(i,k)*C(k,j)"),
        ({"expression": "X(i,j)=B(i,k)*E(k,j)"}, "'E' with 2 operands is unknown"),
        ({"expression": "X(i,j)=B(i,k)*C(k,j"}, "cannot be used"),
        ({"formats": {"B": "sz01"}}, "format 'sz01' of 'B' must be one letter per level"),
        ({"formats": {"B": "s0"}}, "format 's0' of 'B'"),
        ({"formats": {"B": 3}}, "format 3 of 'B'"),
        ({"schedule": "i,q,j"}, "schedule 'i,q,j' must name index variables of the expression"),
        ({"schedule": "iij"}, "each once"),
        ({"inputs": {"B": [[1], [2, 3]], "C": [[1]]}}, "'B' must be a number or nested lists"),
        ({"inputs": [1]}, "field 'inputs' must be of type dict"),
        ({"expected_dense": "x"}, "'expected_dense' must be a number or nested lists"),
        ({"expected_dense": [[1, 2, 3]]}, "is declared with shape"),
    ],
)
def test_impossible_cases(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        run(**changes)
    assert message in str(caught.value) and "case 'matmul'" in str(caught.value)


def test_a_case_without_its_expected_result(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{key: MATMUL[key] for key in MATMUL if key != "expected_dense"}]}))
    with pytest.raises(DataError, match="has no field 'expected_dense'"):
        replay([path])
