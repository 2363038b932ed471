"""An exercise and the verdict on an answer to it."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from fuseflow.errors import FuseflowError

UNREADABLE = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What an answer of a wrong kind makes a check run into."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right; if not, ``words`` says what is wrong with it and ``hint`` where to look."""

    exercise: str
    right: bool
    words: str
    hint: str = ""

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        if self.right:
            return f"{self.exercise}: right. {self.words}".rstrip()
        return f"{self.exercise}: not yet. {self.words}\nHint: {self.hint}"

    def _repr_html_(self) -> str:
        colour, mark = ("#00695c", "✓ right") if self.right else ("#a84600", "✗ not yet")
        hint = "" if self.right else f"<br><i>Hint: {escape(self.hint)}</i>"
        return (
            f'<div style="border-left:4px solid {colour};padding:2px 10px"><b>{escape(self.exercise)} {mark}.</b> '
            f"{escape(self.words)}{hint}</div>"
        )


@dataclass(frozen=True, slots=True)
class Exercise:
    """``judge`` returns what is wrong with an answer, or ``None``; ``form`` says what an answer looks like.

    ``praise`` is what a right answer has shown.
    """

    number: str
    question: str
    form: str
    hint: str
    praise: str
    judge: Callable[[Any], str | None]

    def verdict(self, answer: Any) -> Verdict:
        """The verdict on ``answer``, whatever it is."""
        if answer is None or answer is ...:
            return Verdict(self.number, False, "There is no answer yet.", f"An answer is {self.form}. {self.hint}")
        try:
            fault = self.judge(answer)
        except FuseflowError as error:
            fault = f"fuseflow refuses it: {error}"
        except UNREADABLE:
            fault = f"{_short(answer)} cannot be read as an answer, which is {self.form}."
        if fault is None:
            return Verdict(self.number, True, self.praise)
        return Verdict(self.number, False, fault, self.hint)


def _short(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:57]}..."
