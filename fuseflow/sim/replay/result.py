"""What a replay found."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from fuseflow.dataflow.tokens import Stop, Token


class Outcome(Enum):
    """How a case ended."""

    PASSED = "passed"
    KNOWN = "passed, with a known difference"
    FAILED = "failed"
    LEFT_OUT = "left out"


class Engine(Enum):
    """What runs a case."""

    INTERPRETER = "interpreter"
    COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case of file ``path``; ``notes`` say what differs, which known difference applies, or why it is out."""

    path: str
    name: str
    outcome: Outcome
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """All cases in the order of the files."""

    cases: tuple[CaseResult, ...]

    def of(self, *outcomes: Outcome) -> tuple[CaseResult, ...]:
        """Cases that ended in one of ``outcomes``."""
        return tuple(case for case in self.cases if case.outcome in outcomes)

    @property
    def passed(self) -> int:
        """Cases that agree, those with a known difference among them."""
        return len(self.of(Outcome.PASSED, Outcome.KNOWN))

    @property
    def failed(self) -> int:
        return len(self.of(Outcome.FAILED))

    @property
    def known(self) -> int:
        """Cases that agree but for a known difference."""
        return len(self.of(Outcome.KNOWN))

    @property
    def left_out(self) -> int:
        """Cases that nothing here runs, so that nothing was compared."""
        return len(self.of(Outcome.LEFT_OUT))

    @property
    def ok(self) -> bool:
        """Whether every case was compared and agrees."""
        return self.failed == self.left_out == 0

    def report(self) -> str:
        """Files with their counts, every case that did not simply pass, and ``N passed, M failed`` at the end."""
        lines = []
        for path in dict.fromkeys(case.path for case in self.cases):
            own = [case for case in self.cases if case.path == path]
            counts = [(outcome, sum(case.outcome is outcome for case in own)) for outcome in Outcome]
            lines.append(f"{path}: " + "; ".join(f"{count} {outcome.value}" for outcome, count in counts if count))
            notes: dict[tuple[str, ...], list[CaseResult]] = {}
            for case in own:
                if case.outcome is not Outcome.PASSED:
                    notes.setdefault((case.outcome.value, *case.notes), []).append(case)
            for (outcome, *found), cases in notes.items():
                lines.append(f"  {outcome}: {', '.join(case.name for case in cases)}")
                lines += [f"    {note}" for note in found]
        left_out = f", {self.left_out} left out, not compared" if self.left_out else ""
        return "\n".join([*lines, f"{self.passed} passed, {self.failed} failed{left_out}"])

    def __repr__(self) -> str:
        return f"Replay: {self.passed} passed ({self.known} with a known difference), {self.failed} failed"


MAX_NOTES = 5
"""Differences of one case that are listed; the rest are counted."""


def shortened(notes: Sequence[str]) -> tuple[str, ...]:
    """The first of ``notes``, and how many more there are."""
    if len(notes) <= MAX_NOTES:
        return tuple(notes)
    return (*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES} more")


def same_token(token: Token, other: Token) -> bool:
    """Equal; numbers to the last bits of float32, where two libraries round an exponential differently."""
    if isinstance(token, (int, float)) and isinstance(other, (int, float)):
        if token != token or other != other:
            return token != token and other != other
        return token == other or abs(token - other) <= 1e-6 * max(abs(token), abs(other), 1e-30)
    if isinstance(token, Stop) and isinstance(other, Stop):
        return token.level == other.level
    return token is other
