"""Exercises of notebook 05: factored and global iteration, on the chain Y = A X W."""

from dataclasses import replace
from functools import cache
from typing import Any

from fuseflow.compiled import Compiled, compile
from fuseflow.course.examples import chain
from fuseflow.course.exercise import Exercise
from fuseflow.dataflow.blocks import BinaryALU
from fuseflow.einsum.operators import BinaryOp
from fuseflow.schedule import Iteration, Region, Schedule


def iterated(iteration: Iteration, width: int = 2) -> Compiled:
    """The chain in one region, iterated in the given style."""
    region = Region("all", ("T", "Y"), iteration=iteration)
    return compile(chain(width), Schedule(iteration.value, (region,)))


@cache
def multiplications(iteration: Iteration, width: int = 2) -> int:
    """Multiplications that a run does."""
    compiled = iterated(iteration, width)
    result = compiled.simulate(engine="interpreter").kernels[0].result
    graph = compiled.regions[0].graph
    muls = [node.name for node in graph if isinstance(node.block, BinaryALU) and node.block.op is BinaryOp.MUL]
    return sum(result.node(name).flops for name in muls)


def _count(answer: Any) -> str | None:
    right, other, given = multiplications(Iteration.FACTORED), multiplications(Iteration.GLOBAL), int(answer)
    if given == right:
        return None
    if given == other:
        return "This is the count of the global iteration."
    if given == 4 * 4 * 3 + 4 * 3 * 2:
        return "This is the count of dense matrices; A has only five nonzeros."
    return f"{given} is too {'many' if given > right else 'few'}."


def _global(answer: Any) -> str | None:
    if not isinstance(answer, Schedule):
        return f"A schedule is asked for, not {answer!r}."
    if len(answer.regions) != 1:
        return f"It has {len(answer.regions)} regions; a chain is iterated globally within one."
    if answer.regions[0].iteration is not Iteration.GLOBAL:
        return f"Its region is iterated {answer.regions[0].iteration.value}."
    compile(chain(), replace(answer, name="answer"))
    return None


def _width(answer: Any) -> str | None:
    width = int(answer)
    if not 1 <= width <= 16:
        return f"{width} is not between 1 and 16."

    def gain(columns: int) -> float:
        return multiplications(Iteration.GLOBAL, columns) / multiplications(Iteration.FACTORED, columns)

    if gain(width) < 1.5:
        return f"With width {width} the global iteration multiplies only {gain(width):.2f} times as often."
    if width > 1 and gain(width - 1) >= 1.5:
        return f"With width {width} it does so, but a smaller width is enough."
    return None


EXERCISES = (
    Exercise(
        "5.1",
        "How many multiplications does the factored iteration of the chain do (A sparse 4×4, X 4×3, W 3×2)?",
        "a whole number",
        "T needs one per nonzero of A and column of X; Y one per stored element of T and column of W. "
        "An empty row of A leaves an empty row of T.",
        "Factored iteration sums T before it multiplies with W.",
        _count,
    ),
    Exercise(
        "5.2",
        "Give a schedule that iterates the chain globally.",
        "a ff.Schedule",
        'A region takes iteration=ff.Iteration.GLOBAL: ff.Schedule("mine", (ff.Region(...),)).',
        "This is what a compiler does that fuses one long expression.",
        _global,
    ),
    Exercise(
        "5.3",
        "What is the smallest width of W for which the global iteration multiplies at least 1.5 times as often?",
        "a whole number from 1 to 16",
        "Let n be the nonzeros of A times 3: global iteration needs n + n·width, factored n + rows·3·width.",
        "The more columns the last matrix has, the more it pays to sum early.",
        _width,
    ),
)
