"""The course of notebooks 01 to 07: examples, single primitives to feed by hand, and exercises that check themselves.

``ff.course.check("2.3", answer)`` says whether an answer is right, or what is wrong with it and where to look. A check
computes what is right from the library; it never raises because of an answer.
"""

from fuseflow.course import examples
from fuseflow.course.exercise import Exercise, Verdict
from fuseflow.course.lessons import EXERCISES, check
from fuseflow.course.primitive import primitive

__all__ = ["EXERCISES", "Exercise", "Verdict", "check", "examples", "primitive"]
