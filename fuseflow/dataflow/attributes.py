"""What every block asks of its own attributes, whatever it is wired to. The verifier puts graph and node before it."""

from collections.abc import Sequence
from math import isfinite, prod

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Concat,
    Flatten,
    Fork,
    Gather,
    Generator,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    SparseAccumulator,
    StopDrop,
    Tile,
    UnaryALU,
    ValueBlock,
    ValWriter,
)
from fuseflow.dataflow.tokens import DONE, EMPTY, REPEAT, Stop, StreamKind, Token
from fuseflow.formats.check import MAX_DIMENSION

MAX_LANES = 4096
MAX_REFERENCE = 1 << 62
"""References and packed pairs of coordinates stay below this, so that every engine can count in 64 bits."""

LARGEST_VALUE = float(np.finfo(np.float32).max)


def wrong_number_of_ports(block: Block) -> str | None:
    """Why ``block`` cannot even say what its ports are; ``None`` if it can."""
    if isinstance(block, Fork | Gather) and not 1 <= block.lanes <= MAX_LANES:
        return f"needs 1 lane or more, not {block.lanes}; the most are {MAX_LANES}"
    if isinstance(block, Concat) and not 1 <= block.operands <= MAX_LANES:
        return f"needs 1 input or more, not {block.operands}; the most are {MAX_LANES}"
    return None


def wrong_attribute(block: Block) -> str | None:
    """What is wrong with ``block``, the fields of which have the right types, and what to do; ``None``: nothing is."""
    if isinstance(block, ValueBlock) and block.tiles:
        fault = _wrong_tiles(block, block.tiles)
        if fault is not None:
            return fault
    match block:
        case Joiner(payloads=payloads):
            return _wrong_operands(payloads)
        case SparseAccumulator():
            return _wrong_extents(block)
        case LevelScanner(extent=extent) | Locate(extent=extent) if extent is not None:
            if extent < 0:
                return f"the extent of a dense level must be 0 or more, not {extent}"
            return _too_large("the extent of a dense level", extent)
        case Flatten(factor=factor):
            if factor < 0:
                return f"the factor is the size of the inner dimension, 0 or more, not {factor}"
            return _too_large("the factor", factor)
        case Fork(payload=payload) | Gather(payload=payload):
            return _no_signal(payload) or _wrong_ranges(block.lanes, block.boundaries, block.owners)
        case Concat(payload=payload):
            return _no_signal(payload) or _wrong_offsets(block)
        case StopDrop(payload=payload):
            return _no_signal(payload)
        case Generator(stream=stream, tokens=tokens):
            return _wrong_tokens(stream, tokens)
        case UnaryALU(scalar=scalar):
            return _beyond_float32("its scalar", scalar)
        case _:
            return None


def _too_large(what: str, size: int) -> str | None:
    if size > MAX_DIMENSION:
        return f"{what} must be at most {MAX_DIMENSION}, the largest dimension, not {size}"
    return None


def _wrong_operands(payloads: Sequence[StreamKind]) -> str | None:
    if len(payloads) < 2:
        return f"a joiner needs 2 operands or more, not {len(payloads)}; wire past it"
    for number, payload in enumerate(payloads):
        if payload not in (StreamKind.REF, StreamKind.VAL):
            return f"input 'in{number}' and output 'out{number}' carry references or values, not {payload.value}"
    return None


def _wrong_extents(block: SparseAccumulator) -> str | None:
    indices, extents = block.indices, block.extents
    if not indices:
        return "a sparse accumulator keeps 1 index variable or more, not 0; use a Reduce"
    if len(indices) != len(extents):
        return f"{len(indices)} indices {indices} need as many extents, not {len(extents)}: {extents}"
    if min(extents) < 0:
        return f"the extents of its index variables must be 0 or more, not {extents}"
    for index, extent in zip(indices, extents, strict=True):
        fault = _too_large(f"the extent of {index!r}", extent)
        if fault is not None:
            return fault
    if prod(max(extent, 1) for extent in extents) >= MAX_REFERENCE:
        return (
            f"accumulates over {indices} of sizes {extents}, whose product must be below 2**62; choose a dataflow "
            "order that keeps fewer index variables inside the reduced one"
        )
    return None


TILES = {Array: 1, BinaryALU: 3, UnaryALU: 2, Reduce: 2, SparseAccumulator: 2, ValWriter: 2}
"""How many tiles each block of values names: those of its inputs, then that of its output."""


def _wrong_tiles(block: ValueBlock, tiles: Sequence[Tile]) -> str | None:
    wanted = TILES[type(block)]
    if len(tiles) != wanted:
        return f"a {block.kind} on tiles names {wanted} of them, its inputs' and its output's, not {len(tiles)}"
    for tile in tiles:
        if len(tile.axes) != len(tile.shape) or min(tile.shape, default=1) < 1:
            return f"a tile has a size of 1 or more for every axis, not axes {tile.axes} and shape {tile.shape}"
    return None


def _wrong_ranges(lanes: int, boundaries: Sequence[int], owners: Sequence[int]) -> str | None:
    """Ranges that lanes are dealt by: ascending, and each with a lane."""
    if list(boundaries) != sorted(boundaries):
        return "the boundaries of the lanes' ranges must ascend"
    if owners and (len(owners) != len(boundaries) + 1 or not all(0 <= owner < lanes for owner in owners)):
        return f"{len(boundaries) + 1} ranges need as many owners, each a lane below {lanes}, not {len(owners)} owners"
    if boundaries and not owners and len(boundaries) != lanes - 1:
        return f"{lanes} lanes in ranges need {lanes - 1} boundaries, not {len(boundaries)}"
    if boundaries and not -MAX_REFERENCE < boundaries[0] <= boundaries[-1] < MAX_REFERENCE:
        return f"the boundaries of the lanes' ranges are coordinates, not {boundaries[0]} to {boundaries[-1]}"
    return None


def _wrong_offsets(block: Concat) -> str | None:
    """Offsets are running sums of extents, for coordinates only."""
    offsets = block.offsets
    if not offsets:
        return None
    if block.payload is not StreamKind.CRD:
        return f"has offsets {offsets} for {block.payload.value} payloads; only coordinates are moved, leave them out"
    if len(offsets) != block.operands or offsets[0] != 0 or list(offsets) != sorted(offsets):
        return (
            f"needs an offset for each of its {block.operands} inputs, the first 0 and each at least the one before, "
            f"not {offsets}; give the running sums of the inputs' extents"
        )
    return _too_large("an offset", offsets[-1])


def _no_signal(payload: StreamKind) -> str | None:
    if payload is StreamKind.SIGNAL:
        return "carries references, coordinates or values, not repeat signals; wire the data here"
    return None


def _beyond_float32(what: str, value: float) -> str | None:
    """Values are float32; NaN and the infinities are among them, but a finite one that becomes infinite is a slip."""
    if isinstance(value, int) and abs(value) > LARGEST_VALUE:
        shown = f"an integer of {value.bit_length()} bits"
    elif isinstance(value, int) or not isfinite(value) or abs(value) <= LARGEST_VALUE:
        return None
    else:
        shown = repr(value)
    return f"{what} is {shown}, beyond float32 (at most {LARGEST_VALUE:.6g}); scale the data, or write it as inf"


def _wrong_tokens(stream: StreamKind, tokens: Sequence[Token]) -> str | None:
    """Tokens of the right kind, and one ``D``, at the end."""
    for place, token in enumerate(tokens):
        where = f"token {place} of its {stream.value} stream"
        if isinstance(token, Stop) or token is DONE:
            fits = not isinstance(token, Stop) or token.level >= 0
        elif stream is StreamKind.SIGNAL or token is REPEAT:
            fits = stream is StreamKind.SIGNAL and token is REPEAT
        elif stream is StreamKind.VAL:
            fits = token is EMPTY or isinstance(token, int | float)
            fault = _beyond_float32(where, token) if isinstance(token, int | float) else None
            if fault is not None:
                return fault
        else:
            fits = token is EMPTY or (isinstance(token, int) and token >= 0)
            most = MAX_DIMENSION if stream is StreamKind.CRD else MAX_REFERENCE - 1
            if isinstance(token, int) and token > most:
                what = "coordinate" if stream is StreamKind.CRD else "reference"
                shown = str(token) if token.bit_length() < 256 else f"an integer of {token.bit_length()} bits"
                return f"{where} is {shown}, but the largest {what} is {most}; check what made the stream"
        if not fits:
            return f"{where} is {token!r:.60}, which is no token of that kind; replace it"
        if (token is DONE) != (place == len(tokens) - 1):
            return f"token {place} of {len(tokens)} is {token!r}; a stream ends in D and has no other"
    if not tokens:
        return "has no tokens; a stream has at least its D"
    return None
