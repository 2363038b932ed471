"""Every exercise accepts a right answer, however it is written, and rejects typical wrong ones with words and a hint."""

from typing import Any

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.course import EXERCISES, check, examples, primitive
from fuseflow.dataflow.blocks import Join, Joiner
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import SimulationError

GCN = ff.models.gcn("karate")
GLOBAL = ff.Schedule("mine", (ff.Region("all", ("T", "Y"), iteration=ff.Iteration.GLOBAL),))
FACTORED = ff.Schedule("mine", (ff.Region("all", ("T", "Y")),))
ARROW = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
SPARSE = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])

RIGHT: dict[str, list[Any]] = {
    "1.1": [[0, 2, 2, 3, 5], np.array([0, 2, 2, 3, 5])],
    "1.2": ["dc"],
    "1.3": [ARROW, [[1, 0], [1, 1]]],
    "2.1": ["1 3 S0 S0 0 S0 2 3 S1 D", [1, 3, "S0", "S0", 0, "S0", 2, 3, "S1", "D"]],
    "2.2": ["2 3 S0 D", "2, 3, s0, d"],
    "2.3": ["3 0 3 9 S0 D", "3.0 0.0 3.0 9.0 S0 D"],
    "3.1": [2],
    "3.2": [{"A": "csc", "B": "csc"}],
    "3.3": ["j i k", ("j", "i", "k")],
    "4.1": [("relu", "i")],
    "4.2": [ff.Schedule.partial(GCN)],
    "4.3": [ff.Schedule.partial(GCN)],
    "5.1": [33],
    "5.2": [GLOBAL],
    "5.3": [5],
    "6.1": ["7 S0 9 S1 D"],
    "6.2": [6],
    "6.3": [40],
    "6.4": [256],
    "7.1": [9],
    "7.2": [13],
    "7.3": ["values_X.val", "sub_C.a"],
}

WRONG: dict[str, list[tuple[Any, str]]] = {
    "1.1": [([2, 0, 1, 2], "lengths of the fibers"), ([0, 2, 3, 5], "the empty fiber included"), ([1, 3, 3, 4, 6], "count from 0"),
            ([0, 2, 3, 3, 5], "Entry 2 is not 3"), ("abc", "cannot be read")],
    "1.2": [("cc", "cc stores 19 numbers"), ("dd", "dd stores 16"), ("csr", "not one of dd, dc, cd, cc"), (3, "not one of")],
    "1.3": [(SPARSE, "3 of 4 rows empty"), ([[1, 1]], "nonzeros; three or more"), ([1, 2, 3], "has 1 dimensions"), ("eye", "cannot be read")],
    "2.1": [("1 3 S0 0 S0 2 3 S1 D", "there are 3 stops, not 4"), ("1 3 S0 S0 0 S0 2 3 S0 D", "level of stop number 4"),
            ("1 3 S0 S0 0 S0 2 3 S1", "ends with D"), ("1 3 S0 S0 0 S0 2 S1 D", "in this order or number"), (7, "cannot be read")],
    "2.2": [("0 1 2 3 S0 D", "This is the union"), ("0 2 3 S0 D", "0 does not belong"), ("2 S0 D", "3 is missing"), ("", "The stream is empty")],
    "2.3": [("3 3 9 S0 D", "0 is missing"), ("3 0 3 9 S1 D", "level of stop number 1"), ("3 0 3 9 D", "there are 0 stops"),
            ("3 0 3 S0 9 D", "in the wrong place")],
    "3.1": [(6, "every permutation"), (1, "more than 1"), (3, "fewer than 3"), ("two", "cannot be read")],
    "3.2": [({"A": "csr", "B": "csr"}, "does not work"), ({"A": "csc", "B": "csr"}, "does not work"), ({"A": "csc"}, "one for B"),
            ({"A": "best", "B": "csc"}, "refuses"), ("csc", "must name a format for A")],
    "3.3": [("j k i", "takes 41 cycles"), ("i j k", "no legal order"), (None, "no answer yet"), (5, "cannot be read")],
    "4.1": [(("relu", "j"), "not computed again for every j"), (("linear", "i"), "'linear' is computed once"), (("h", "i"), "no tensor 'h'"),
            ("relu", "cannot be read")],
    "4.2": [(ff.Schedule.full(GCN), "relu is computed again for every i"), (ff.Schedule.unfused(GCN), "has 8 kernels"),
            ("partial", "is text"), (2, "not a int"), (ff.Schedule("empty", ()), "refuses")],
    "4.3": [(ff.Schedule.full(GCN), "times as fast as unfused"), (ff.Schedule.unfused(GCN), "1.00 times"), ("full", "is text"), ([], "not a list")],
    "5.1": [(45, "count of the global"), (72, "count of dense matrices"), (10, "too few"), (50, "too many")],
    "5.2": [(FACTORED, "iterated factored"), (ff.Schedule.unfused(examples.chain()), "has 2 regions"), ("global", "A schedule is asked for"),
            (ff.Schedule("m", (ff.Region("a", ("Y",), iteration=ff.Iteration.GLOBAL),)), "refuses")],
    "5.3": [(1, "only 1.25 times"), (8, "a smaller width is enough"), (40, "not between"), (4, "only 1.47 times")],
    "6.1": [("4 8 S0 2 S1 D", "This is lane 0"), ("7 9 S1 D", "there is 1 stop"), ("7 8 S0 9 S1 D", "8 does not belong"), ("7 S0 9 S1", "ends with D")],
    "6.2": [(4, "3.08 times"), (8, "so are fewer"), (0, "cannot work"), (float("inf"), "cannot be read")],
    "6.3": [(22, "These are the nonzeros"), (64, "whole matrix"), (16, "4 blocks is not right"), (7, "not a count of whole blocks")],
    "6.4": [(4096, "work of the whole product"), (16, "between two products"), (31, "not the work")],
    "7.1": [(8, "deadlocks"), (13, "but also with less"), (0, "A depth from 1"), ("deep", "cannot be read")],
    "7.2": [(9, "takes 53 cycles, 46"), (20, "so is less"), (4, "deadlocks"), (-1, "A depth from 1")],
    "7.3": [("max_M.val", "At most 3 tokens"), ("mul.val", "no port 'mul.val'"), ("scan_X_i.ref", "At most 4 tokens"), (7, "no port '7'")],
}  # fmt: skip


def test_every_exercise_is_tried() -> None:
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)
    assert {number.split(".")[0] for number in EXERCISES} == {str(lesson) for lesson in range(1, 8)}
    assert all(len(wrong) >= 3 for wrong in WRONG.values())


@pytest.mark.parametrize("number", RIGHT)
def test_right_answers(number: str) -> None:
    for answer in RIGHT[number]:
        verdict = check(number, answer)
        assert verdict, verdict
        assert "right" in repr(verdict) and "✓" in verdict._repr_html_()


@pytest.mark.parametrize("number", WRONG)
def test_wrong_answers_get_words_and_a_hint(number: str) -> None:
    for answer, words in WRONG[number]:
        verdict = check(number, answer)
        assert not verdict
        assert words in verdict.words, (answer, verdict.words)
        assert len(verdict.hint) > 20 and verdict.hint in repr(verdict)


@pytest.mark.parametrize("answer", [None, ..., object(), 1j, b"x", {"a": 1}, [[]], "🙂", float("nan"), lambda: 1])
def test_no_answer_breaks_a_check(answer: Any) -> None:
    for number in EXERCISES:
        assert not check(number, answer)


def test_no_such_exercise() -> None:
    verdict = check("9.9", 1)
    assert not verdict and "no such exercise" in verdict.words and "1.1" in verdict.hint


def test_html_is_escaped() -> None:
    assert "<b>bad" not in check("1.2", "<b>bad")._repr_html_()


def test_primitives_by_hand() -> None:
    union = Joiner(Join.UNION, "i", (StreamKind.REF, StreamKind.REF))
    assert primitive(union, "0 2 S0 D", "5 6 S0 D", "2 S0 D", "7 S0 D") == {
        "crd": "0 2 S0 D", "out0": "5 6 S0 D", "out1": "N 7 S0 D",
    }  # fmt: skip
    with pytest.raises(SimulationError, match=r"has 4 inputs \(crd0, in0, crd1, in1\), not 1"):
        primitive(union, "0 D")
