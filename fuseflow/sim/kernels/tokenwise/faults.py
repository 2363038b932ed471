"""What a fault of a unit means, in the words of the interpreter."""

from typing import Final

OUT_OF_FIBERS: Final = 1
OUT_OF_VALUES: Final = 2
NO_SIGNAL: Final = 3
RIDER: Final = 4
UNION_OF_EMPTY: Final = 5
EMPTY_COORDINATE: Final = 6
ENDS_BEFORE: Final = 7
STOP_LEVELS: Final = 8
REF_AND_CRD: Final = 9
OUT_OF_EXTENT: Final = 10
CRD_AND_PARENT: Final = 11
OPERANDS: Final = 12
NO_VALUE: Final = 13
GUARD: Final = 14
ACCUMULATED: Final = 15
ACCUMULATED_EMPTY: Final = 16
ACCUMULATED_REDUCED: Final = 17
ACCUMULATED_MIDDLE: Final = 18
ACCUMULATED_END: Final = 19
OUTER_AND_INNER: Final = 20
NO_COORDINATE: Final = 21
INNER_AND_REF: Final = 22
OUT_OF_FACTOR: Final = 23
LANE_AND_GUARD: Final = 24
NO_GUARD: Final = 25
VAL_AND_CRD: Final = 26
NO_COORDINATE_TO_WRITE: Final = 27
NO_VALUE_TO_WRITE: Final = 28
ACCUMULATED_BEYOND: Final = 29
ACCUMULATED_PAIR: Final = 30
FORK_AND_GUIDE: Final = 31
NOT_RISING: Final = 32
CONCAT_ENDS: Final = 33
CONCAT_EXTENT: Final = 34
CONCAT_ORDER: Final = 35

TENSOR = "check that the tensor bound to the graph is the one it was lowered for"
JOIN = "the operands of a join must have the same outer fibers"
NEST = "every level of an accumulator's input must come from the same nest of fibers"
LEVELS = "feed the coordinates of two neighbouring levels of one nest of fibers"
LANES = "the lanes must come from one fork, and the guard must be the coordinate stream that was forked"

FAULTS: Final[dict[int, tuple[str, str]]] = {
    OUT_OF_FIBERS: ("reference outside the {limit} fibers of the level", TENSOR),
    OUT_OF_VALUES: ("reference outside the {limit} stored values", TENSOR),
    NO_SIGNAL: ("no repeat signal", "feed this input from a repeat signal generator"),
    RIDER: (
        "coordinate and payload do not go together",
        "wire the crd and the payload of an operand from the same scanner",
    ),
    UNION_OF_EMPTY: ("N on every coordinate stream", JOIN),
    EMPTY_COORDINATE: ("N on a coordinate stream", "let scanners treat N as an empty fiber"),
    ENDS_BEFORE: ("one coordinate stream ends before another", JOIN),
    STOP_LEVELS: ("stop levels differ", JOIN),
    REF_AND_CRD: ("ref and crd do not go together", "feed both from one join"),
    OUT_OF_EXTENT: ("coordinate not below {limit}", "check the shapes of the operands"),
    CRD_AND_PARENT: (
        "crd and parent do not go together",
        "the parent must be the reference stream one level above the coordinates",
    ),
    OPERANDS: (
        "operands do not go together",
        "both streams must have the same fibers; join or repeat them over the same index variables",
    ),
    NO_VALUE: ("no value", "feed this input from a value stream"),
    GUARD: (
        "value stream and guard do not go together",
        "the guard must be the coordinate stream one level above the values",
    ),
    ACCUMULATED: ("innermost coordinates and values do not go together", NEST),
    ACCUMULATED_EMPTY: ("an empty fiber needs its stops one level further in", NEST),
    ACCUMULATED_REDUCED: ("no coordinate on the reduced level", NEST),
    ACCUMULATED_MIDDLE: ("no coordinate on a middle level", NEST),
    ACCUMULATED_END: ("the outermost level ends before the others", NEST),
    OUTER_AND_INNER: ("outer and inner coordinates do not go together", LEVELS),
    NO_COORDINATE: ("no coordinate", LEVELS),
    INNER_AND_REF: ("inner and ref do not go together", LEVELS),
    OUT_OF_FACTOR: ("coordinate not below {limit}", "check the factor"),
    LANE_AND_GUARD: ("lane and guard do not go together", LANES),
    NO_GUARD: ("no coordinate", LANES),
    FORK_AND_GUIDE: (
        "payloads and coordinates do not go together",
        "guide the fork with the coordinates of the level that it deals out",
    ),
    VAL_AND_CRD: ("val and crd do not go together", "wire the values and the coordinates of one level"),
    NO_COORDINATE_TO_WRITE: ("no coordinate", "feed this input from a coordinate stream"),
    NO_VALUE_TO_WRITE: ("no value", "feed this input from a value stream"),
    ACCUMULATED_BEYOND: ("coordinate not below {limit}", "check the shapes of the operands"),
    NOT_RISING: (
        "coordinates of a fiber must rise, but {limit} comes before",
        "sort the coordinates of each fiber, and leave out duplicates",
    ),
    CONCAT_ENDS: (
        "the fibers of the inputs do not end alike",
        "the inputs must have the same outer fibers: scan or repeat them below one nest of coordinates",
    ),
    CONCAT_EXTENT: (
        "coordinate not below {limit}",
        "the offsets must be the running sums of the extents of the inputs",
    ),
    CONCAT_ORDER: (
        "coordinates of a fiber must rise, but {limit} comes before",
        "sort the coordinates of each fiber, and give offsets where the inputs overlap",
    ),
    ACCUMULATED_PAIR: ("no coordinate and value to accumulate", NEST),
}
"""Per fault what is wrong, and what to do about it; texts of the processes in ``sim/blocks``."""
