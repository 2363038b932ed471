"""Judging streams: what is wrong with the tokens of an answer, in words."""

from collections.abc import Iterable
from typing import Any

FORM = 'the tokens as text, for example "0 2 S0 1 S1 D"'


def words(answer: Any) -> list[str]:
    """Tokens of an answer given as text or as a list."""
    items: Iterable[Any] = answer.replace(",", " ").split() if isinstance(answer, str) else answer
    return [_plain(str(item)) for item in items]


def stream_fault(answer: Any, wanted: str) -> str | None:
    """What is wrong with the stream ``answer`` where ``wanted`` is right; ``None`` if nothing is."""
    given, right = words(answer), words(wanted)
    if given == right:
        return None
    if not given:
        return "The stream is empty, but even a stream without data has a D."
    if given[-1] != "D":
        return "Every stream ends with D."
    payload, wanted_payload = _payload(given), _payload(right)
    if payload != wanted_payload:
        missing = [token for token in wanted_payload if token not in payload]
        extra = [token for token in payload if token not in wanted_payload]
        if extra:
            return f"{extra[0]} does not belong into the stream."
        if missing:
            return f"{missing[0]} is missing."
        return "The data tokens are right but not in this order or number."
    stops, wanted_stops = _stops(given), _stops(right)
    if len(stops) < len(wanted_stops):
        count = "is 1 stop" if len(stops) == 1 else f"are {len(stops)} stops"
        return f"The data are right, but there {count}, not {len(wanted_stops)}: one per fiber."
    if len(stops) > len(wanted_stops):
        return f"The data are right, but there are {len(stops)} stops, and only {len(wanted_stops)} fibers end."
    if stops != wanted_stops:
        place = next(number for number, pair in enumerate(zip(stops, wanted_stops, strict=True)) if pair[0] != pair[1])
        return f"The data are right, but the level of stop number {place + 1} is not {stops[place]}."
    return "The tokens are right, but a stop stands in the wrong place."


def _plain(token: str) -> str:
    try:
        number = float(token)
    except ValueError:
        return token.upper()
    return f"{number:g}"


def _payload(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token[0] not in "SD"]


def _stops(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token[0] == "S"]
