"""The known differences, as ``differences.json`` lists them with their reasons."""

import json
from enum import Enum
from functools import cache
from importlib.resources import files


class Known(Enum):
    """Name of each entry of the list; the code that checks what still has to agree refers to it."""

    MAXIMUM = "maximum"
    SCANNER_EMPTY_REFERENCE = "scanner-empty-reference"
    SCANNER_SKIP = "scanner-skip"
    INTERSECT_SKIP = "intersect-skip"
    WRITER_EMPTY_FIBER = "writer-empty-fiber"
    ACCUMULATOR_REPEATED_ROW = "accumulator-repeated-row"
    JOINER_EMPTY_COORDINATE = "joiner-empty-coordinate"
    SCANNER_EXTENT_0 = "scanner-extent-0"

    @property
    def reason(self) -> str:
        """Why ours differs, and what is checked all the same."""
        return reasons()[self]


@cache
def reasons() -> dict[Known, str]:
    """The reason of every known difference; each entry of the list has its name here, and the other way round."""
    text = files("fuseflow.sim.replay").joinpath("differences.json").read_text(encoding="utf-8")
    found = {Known(entry["name"]): f"{entry['name']}: {entry['reason']}" for entry in json.loads(text)}
    return {known: found[known] for known in Known}
