"""Where the recorded cases are."""

import os
from pathlib import Path

TIMED = "comal_timed_streams.json"
PRIMITIVES = "sam_primitives.json"
EXPRESSIONS = "sam_expressions.json"


def folder() -> Path:
    """``FUSEFLOW_CONFORMANCE``, or the folder ``conformance`` in ``shared`` beside the project."""
    named = os.environ.get("FUSEFLOW_CONFORMANCE")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "conformance"
