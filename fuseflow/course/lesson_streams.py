"""Exercises of notebook 02: streams and primitives."""

from typing import Any

from fuseflow.course.examples import matrix
from fuseflow.course.exercise import Exercise
from fuseflow.course.primitive import primitive
from fuseflow.course.streams import FORM, stream_fault
from fuseflow.dataflow.blocks import Join, Joiner, LevelScanner, Reduce
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import ReduceOp

ROWS = "0 1 2 3 S0 D"
LEFT, RIGHT = "0 2 3 S0 D", "1 2 3 S0 D"
VALUES = "2 1 S0 S0 3 S0 4 5 S1 D"
_REFS = StreamKind.REF, StreamKind.REF


def scanned() -> str:
    """Coordinates that a scanner of level 1 of the example matrix in csr sends for all rows."""
    return primitive(LevelScanner("A", 1, "j"), ROWS, tensors={"A": matrix("csr")})["crd"]


def joined(join: Join, port: str = "crd") -> str:
    """What joining :data:`LEFT` and :data:`RIGHT` sends on ``port``; references count the coordinates."""
    return primitive(Joiner(join, "j", _REFS), LEFT, "0 1 2 S0 D", RIGHT, "0 1 2 S0 D")[port]


def _scan(answer: Any) -> str | None:
    return stream_fault(answer, scanned())


def _intersect(answer: Any) -> str | None:
    if stream_fault(answer, joined(Join.UNION)) is None:
        return "This is the union: a coordinate that only one operand has must not pass."
    return stream_fault(answer, joined(Join.INTERSECT))


def _reduce(answer: Any) -> str | None:
    return stream_fault(answer, primitive(Reduce(ReduceOp.SUM), VALUES)["val"])


EXERCISES = (
    Exercise(
        "2.1",
        f'A scanner of level 1 of the example matrix (csr) reads the references "{ROWS}". What does it send on crd?',
        FORM,
        "One stop per row, the empty row too; a stop that comes in leaves one level higher.",
        "Streams keep the structure of the tree: an empty fiber is a stop right behind a stop.",
        _scan,
    ),
    Exercise(
        "2.2",
        f'An intersecter reads the coordinates "{LEFT}" and "{RIGHT}". What does it send on crd?',
        FORM,
        "In every turn, compare the two heads: equal ones pass, of different ones the smaller is dropped.",
        "The intersection costs a cycle for each coordinate that is dropped, too.",
        _intersect,
    ),
    Exercise(
        "2.3",
        f'A sum reads the values "{VALUES}". What does it send?',
        FORM,
        "Every innermost fiber becomes one value, an empty one 0; every stop sinks by one level, and S0 vanishes.",
        "A reduction removes one level of nesting.",
        _reduce,
    ),
)
