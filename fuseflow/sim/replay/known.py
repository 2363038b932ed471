"""Known differences to SAM: when one applies, and what has to agree all the same."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from fuseflow.dataflow.tokens import EMPTY, Stop, Token
from fuseflow.sim.blocks.base import is_payload
from fuseflow.sim.replay.differences import Known
from fuseflow.sim.replay.ports import Given, Seen


def known_difference(primitive: str, given: Given, wanted: Seen) -> Known | None:
    """The known difference that the inputs or ports of a case call for, if any."""
    if primitive == "fiberlookup_dense" and given.params.data.get("dim") == 0:
        return Known.SCANNER_EXTENT_0
    if primitive.startswith("fiberlookup"):
        if "skip" in given.inputs:
            return Known.SCANNER_SKIP
        return Known.SCANNER_EMPTY_REFERENCE if EMPTY in given.stream("ref") else None
    if primitive in ("intersect", "union"):
        if any(EMPTY in tokens for port, tokens in given.inputs.items() if port.startswith("crd")):
            return Known.JOINER_EMPTY_COORDINATE
        return Known.INTERSECT_SKIP if any(port.startswith("skip") for port in wanted.streams) else None
    if primitive == "fiberwrite_compressed":
        stops = [isinstance(token, Stop) for token in given.stream("crd")]
        empty = (stops and stops[0]) or any(a and b for a, b in pairwise(stops))
        return Known.WRITER_EMPTY_FIBER if empty else None
    if primitive == "spaccumulator_1":
        rows = [token for token in given.stream("outer_crdpt") if is_payload(token)]
        changes = [row for place, row in enumerate(rows) if place == 0 or row != rows[place - 1]]
        return Known.ACCUMULATOR_REPEATED_ROW if len(set(changes)) < len(changes) else None
    return None


def compared_alike(known: Known, given: Given, seen: Seen, wanted: Seen) -> tuple[Seen, Seen]:
    """Ours and SAM's in the form in which they have to be equal despite ``known``."""
    match known:
        case Known.SCANNER_EMPTY_REFERENCE:
            return seen, Seen({port: _without(tokens, EMPTY) for port, tokens in wanted.streams.items()})
        case Known.SCANNER_EXTENT_0:
            return seen, Seen(
                {port: [token for token in tokens if not is_payload(token)] for port, tokens in wanted.streams.items()}
            )
        case Known.SCANNER_SKIP:
            return _only_in(seen.streams, wanted.streams), wanted
        case Known.INTERSECT_SKIP:
            return seen, Seen({port: tokens for port, tokens in wanted.streams.items() if port in seen.streams})
        case Known.JOINER_EMPTY_COORDINATE:
            crd = wanted.streams.get("crd", ())
            return seen, Seen(
                {
                    port: [token for token, guide in zip(tokens, crd, strict=False) if guide is not EMPTY]
                    for port, tokens in wanted.streams.items()
                }
            )
        case Known.WRITER_EMPTY_FIBER:
            return _distinct(seen), _distinct(wanted)
        case Known.ACCUMULATOR_REPEATED_ROW:
            return _row_sums(seen), _row_sums(wanted)
        case Known.MAXIMUM:
            return seen, wanted


def _without(tokens: Sequence[Token], left_out: Token) -> list[Token]:
    return [token for token in tokens if token is not left_out]


def _only_in(ours: Mapping[str, Sequence[Token]], theirs: Mapping[str, Sequence[Token]]) -> Seen:
    """Our streams without the payloads that their stream does not have in the same fiber."""
    streams: dict[str, list[Token]] = {}
    for port, tokens in ours.items():
        rest = list(reversed(theirs.get(port, ())))
        kept: list[Token] = []
        for token in tokens:
            if rest and token == rest[-1]:
                kept.append(rest.pop())
            elif not is_payload(token):
                kept.append(token)
        streams[port] = kept
    return Seen(streams)


def _distinct(seen: Seen) -> Seen:
    """Segment entries without those that repeat the one before, which end empty fibers."""
    segments = list(seen.memory.get("seg", ()))
    kept = [end for place, end in enumerate(segments) if place == 0 or end != segments[place - 1]]
    return Seen(memory={**seen.memory, "seg": kept}, fill=seen.fill)


def _row_sums(seen: Seen) -> Seen:
    """Sums by point, as three plain lists in order of the points; stops only separate rows here."""
    sums: dict[tuple[Token, Token], float] = {}
    rows = [token for token in seen.streams.get("outer_crd", ()) if is_payload(token)]
    values = [token for token in seen.streams.get("val", ()) if is_payload(token)]
    row = place = 0
    for token in seen.streams.get("inner_crd", ()):
        if isinstance(token, Stop):
            row += 1
        elif is_payload(token) and row < len(rows) and place < len(values):
            point, value = (rows[row], token), values[place]
            sums[point] = sums.get(point, 0.0) + (value if isinstance(value, (int, float)) else 0.0)
            place += 1
    points = sorted(sums, key=str)
    outer, inner, val = [p[0] for p in points], [p[1] for p in points], [sums[p] for p in points]
    return Seen({"outer_crd": outer, "inner_crd": inner, "val": val})
