"""SAM DOT files."""

from collections.abc import Mapping
from pathlib import Path

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.interop.dot_export import sam_dot
from fuseflow.dataflow.interop.dot_import import from_dot_text, header_formats
from fuseflow.dataflow.interop.dot_text import parse_dot
from fuseflow.errors import DataError
from fuseflow.formats import FiberTree, Format
from fuseflow.formats.atomic import existing, replacing

MOST_BYTES = 64 * 2**20
"""A larger DOT file is taken for something else."""


def read_dot(path: str | Path, tensors: Mapping[str, FiberTree] | None = None) -> Graph:
    """The graph in a SAM DOT file; ``tensors`` are what it reads, for the sizes that a foreign file does not say.

    Raises DataError for a file that is no such DOT, with line and token; VerifyError for a graph that is not right,
    with block and port.
    """
    return from_dot_text(_text(path), tensors, str(path))


def dot_formats(path: str | Path) -> dict[str, Format]:
    """The format in which a graph reads or writes each tensor, as the comment of a SAM DOT file says."""
    return header_formats(parse_dot(_text(path), str(path)), str(path))


def _text(path: str | Path) -> str:
    file = existing(path, "SAM DOT")
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path} has {size} bytes; a graph in DOT has at most {MOST_BYTES}")
        return file.read_bytes().decode("utf-8")
    except OSError as fault:
        raise DataError(f"cannot read {path}: {fault.strerror or fault}") from None
    except UnicodeDecodeError as fault:
        raise DataError(f"{path} is not UTF-8 text: byte {fault.start} cannot be read") from None


def write_dot(path: str | Path, graph: Graph, tensors: Mapping[str, FiberTree | Format] | None = None) -> None:
    """Write ``graph`` as SAM DOT; ``tensors``, or their formats, give the mode orders of what it reads."""
    with replacing(Path(path)) as file:
        file.write(sam_dot(graph, tensors).encode())
