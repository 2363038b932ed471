"""Streams and the closed set of tokens that travel in them (SAM streams; simulator rules §2).

A stream is a sequence of tokens that ends in ``D``. ``S<k>`` closes a fiber and the ``k`` fibers around it, ``N``
says "this operand has nothing here", everything else is a payload: an integer coordinate or reference, or a float
value. Printed as in the literature: ``0 2 S0 3 S1 D``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fuseflow.errors import VerifyError


class StreamKind(Enum):
    """What the payload tokens of a stream mean."""

    CRD = "crd"
    REF = "ref"
    VAL = "val"
    SIGNAL = "repsig"


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop token: closes one fiber and ``level`` fibers around it."""

    level: int

    def __repr__(self) -> str:
        return f"S{self.level}"


class Control(Enum):
    """Tokens without payload and level."""

    EMPTY = "N"
    DONE = "D"
    REPEAT = "R"

    def __repr__(self) -> str:
        return self.value


EMPTY = Control.EMPTY
DONE = Control.DONE
REPEAT = Control.REPEAT

Token = int | float | Stop | Control
"""Any token. A repeat signal uses ``R``, stops of level 0 and ``D``."""

MAX_STOP_LEVEL = 61
"""Deepest stop the packed form can hold."""

PACKED_EMPTY = -63
PACKED_DONE = -64
"""Packed control tokens: ``-1 - k`` is ``S<k>``, these are ``N`` and ``D``; payloads are >= 0."""


def parse_tokens(text: str, kind: StreamKind) -> list[Token]:
    """Read the printed form of a stream, e.g. ``parse_tokens("0 2 S0 D", StreamKind.CRD)``.

    Raises VerifyError for a word that is no token of ``kind``; only values may be negative.
    """
    tokens: list[Token] = []
    for position, word in enumerate(text.split()):
        if word == "D":
            tokens.append(DONE)
        elif word == "N":
            tokens.append(EMPTY)
        elif word == "R" and kind is StreamKind.SIGNAL:
            tokens.append(REPEAT)
        elif word == "S" and kind is StreamKind.SIGNAL:
            tokens.append(Stop(0))
        elif word[0] == "S" and word[1:].isdigit():
            tokens.append(Stop(int(word[1:])))
        else:
            tokens.append(_payload(word, position, kind))
    return tokens


def _payload(word: str, position: int, kind: StreamKind) -> Token:
    try:
        payload = float(word) if kind is StreamKind.VAL else int(word)
    except ValueError:
        raise VerifyError(
            f"token {position} of a {kind.value} stream is {word!r}; expected a number, S<level>, N or D"
        ) from None
    if kind is not StreamKind.VAL and payload < 0:
        raise VerifyError(f"token {position} of a {kind.value} stream is {word}; only values may be negative")
    return payload


def show_tokens(tokens: Iterable[Token]) -> str:
    """Printed form of a stream: the inverse of :func:`parse_tokens`."""
    return " ".join(
        f"{token:g}" if type(token) is float else str(token) if isinstance(token, int) else repr(token)
        for token in tokens
    )
