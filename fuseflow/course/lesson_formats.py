"""Exercises of notebook 01: fiber trees and formats."""

from typing import Any

import numpy as np

from fuseflow.course.examples import dense, matrix
from fuseflow.course.exercise import Exercise
from fuseflow.formats import CompressedLevel, FiberTree

FORMATS = ("dd", "dc", "cd", "cc")


def integers(tree: FiberTree) -> int:
    """Integers that a tree stores besides its values: segments and coordinates."""
    return sum(
        len(level.segments) + len(level.coordinates) for level in tree.levels if isinstance(level, CompressedLevel)
    )


def _segments(answer: Any) -> str | None:
    level = matrix("csr").levels[1]
    right = [int(each) for each in level.segments] if isinstance(level, CompressedLevel) else []
    given = [int(each) for each in answer]
    if given == right:
        return None
    counts = list(np.diff(right))
    if given == counts:
        return (
            "These are the lengths of the fibers; segments hold where each fiber begins, and where the last one ends."
        )
    if len(given) != len(right):
        rows = len(right) - 1
        return f"{len(given)} entries cannot be right: {rows} fibers need {rows + 1}, the empty fiber included."
    if [each - given[0] for each in given] == right:
        return f"The steps are right, but positions count from 0, not from {given[0]}."
    place = next(number for number, each in enumerate(right) if given[number] != each)
    return f"Entry {place} is not {given[place]}."


def _smallest(answer: Any) -> str | None:
    sizes = {name: integers(matrix(name)) + matrix(name).stored for name in FORMATS}
    name = str(answer)
    if name not in sizes:
        return f"{name!r} is not one of {', '.join(FORMATS)}."
    least = min(sizes.values())
    if sizes[name] == least:
        return None
    return f"{name} stores {sizes[name]} numbers; another of the four stores fewer."


def _worse(answer: Any) -> str | None:
    array = np.asarray(answer, np.float32)
    if array.ndim != 2:
        return f"This has {array.ndim} dimensions; a matrix has 2."
    if np.count_nonzero(array) < 3:
        return f"It has {np.count_nonzero(array)} nonzeros; three or more are asked for."
    both = {name: integers(FiberTree.from_dense(array, name)) for name in ("csr", "dcsr")}
    if both["dcsr"] > both["csr"]:
        return None
    empty = int((np.count_nonzero(array, axis=1) == 0).sum())
    return (
        f"Here csr stores {both['csr']} integers and dcsr {both['dcsr']}: with {empty} of {len(array)} rows empty, "
        "leaving rows out still pays."
    )


EXERCISES = (
    Exercise(
        "1.1",
        "Which segments array does level 1 of the example matrix have in csr?",
        "a list of integers",
        "Walk down the rows of the matrix and note how many nonzeros you have passed before each one.",
        "An empty row is two equal neighbours in the segments array.",
        _segments,
    ),
    Exercise(
        "1.2",
        f"In which of the formats {', '.join(FORMATS)} does the example matrix store the fewest numbers in all?",
        "one of the format strings",
        "Count values, coordinates and segments: ff.course.examples.matrix(name) prints them all.",
        f"The example matrix has {np.count_nonzero(dense())} nonzeros, and few rows to leave out.",
        _smallest,
    ),
    Exercise(
        "1.3",
        "Find a matrix with three nonzeros or more for which dcsr stores more integers than csr.",
        "a two-dimensional array or a list of rows",
        "dcsr names every row that is not empty. When does that cost more than it saves?",
        "Compressing a level pays only if fibers are missing from it.",
        _worse,
    ),
)
