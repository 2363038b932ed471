"""Numbers in MLIR text: ``dense<...>`` in its three forms, and the blobs of the resource section."""

import re

import numpy as np
from numpy.typing import NDArray

from fuseflow.frontend.mlir.body import FLOAT, read_number
from fuseflow.frontend.mlir.cursor import Cursor
from fuseflow.frontend.mlir.types import TensorType

_DTYPES = {
    "f16": "<f2", "f32": "<f4", "f64": "<f8", "i1": "u1", "i8": "i1", "i16": "<i2", "i32": "<i4", "i64": "<i8",
    "si64": "<i8", "ui8": "u1",
}  # fmt: skip
_HEX = re.compile(r'"0x([0-9A-Fa-f]*)"')
_RESOURCE = re.compile(r'([\w.$-]{1,200})\s{0,9}:\s{0,9}"0x([0-9A-Fa-f]*)"')

Literal = float | NDArray[np.float32]


def read_dense(cursor: Cursor) -> tuple[Literal | bytes, int]:
    """What stands between ``dense<`` and ``>``: one number, a list of them, or bytes; and where it began."""
    start = cursor.at
    cursor.expect("dense")
    cursor.expect("<")
    blob = cursor.match(_HEX)
    found: Literal | bytes
    if blob is not None:
        found = bytes.fromhex(blob[1]) if len(blob[1]) % 2 == 0 else b""
    elif cursor.looking_at("["):
        found = _numbers(cursor)
    elif cursor.accept("true"):
        found = 1.0
    elif cursor.accept("false"):
        found = 0.0
    else:
        found = read_number(cursor)
    cursor.expect(">")
    return found, start


def _numbers(cursor: Cursor) -> NDArray[np.float32]:
    """A nested list, flat; the type that follows says its shape."""
    values: list[float] = []
    depth = 0
    while True:
        if cursor.accept("["):
            depth += 1
        elif cursor.accept("]"):
            depth -= 1
            if depth == 0:
                return np.array(values, np.float32)
        elif cursor.accept(","):
            pass
        elif cursor.accept("true"):
            values.append(1.0)
        elif cursor.accept("false"):
            values.append(0.0)
        elif FLOAT.match(cursor.text, cursor.at):
            values.append(read_number(cursor))
        else:
            raise cursor.fault(f"expected a number, ',' or ']', not {cursor.shown()}")


def shaped(cursor: Cursor, found: Literal | bytes, kind: TensorType, start: int) -> Literal:
    """The literal as an array of the type's shape, or the one number that it is throughout."""
    if isinstance(found, bytes):
        return from_bytes(cursor, found, kind, start)
    if isinstance(found, float):
        return found
    count = int(np.prod(kind.shape, dtype=np.int64))
    if found.size != count:
        raise cursor.fault(f"the literal has {found.size} numbers, but its type {kind.shape} asks for {count}", start)
    return found.reshape(kind.shape)


def from_bytes(cursor: Cursor, blob: bytes, kind: TensorType, start: int) -> Literal:
    """Raw bytes, little endian, as an array; the bytes of one element alone are that element throughout."""
    if kind.element not in _DTYPES:
        raise cursor.fault(f"data of type {kind.element} are not read", start)
    dtype = np.dtype(_DTYPES[kind.element])
    count = int(np.prod(kind.shape, dtype=np.int64))
    if len(blob) == dtype.itemsize and count != 1:
        return float(np.frombuffer(blob, dtype)[0])
    if len(blob) != count * dtype.itemsize:
        raise cursor.fault(
            f"the data have {len(blob)} bytes; {count} elements of {kind.element} need {count * dtype.itemsize}", start
        )
    return np.frombuffer(blob, dtype).astype(np.float32).reshape(kind.shape)


def read_resources(text: str) -> dict[str, bytes]:
    """The blobs of the section ``{-# dialect_resources ... #-}``: four bytes of alignment, then the data."""
    start = text.find("{-#")
    if start < 0:
        return {}
    found = {}
    for match in _RESOURCE.finditer(text, start):
        if len(match[2]) % 2 == 0 and len(match[2]) >= 8:
            found[match[1]] = bytes.fromhex(match[2])[4:]
    return found
