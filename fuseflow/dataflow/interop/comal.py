"""Graphs and data in the reference simulator's files: a protobuf graph, binary or text, and number files beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from fuseflow.dataflow.blocks import Array, LevelScanner, Locate
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.interop.comal_data import read_data, read_shape, write_data, write_shape
from fuseflow.dataflow.interop.comal_export import to_message
from fuseflow.dataflow.interop.comal_import import Imported, from_message
from fuseflow.dataflow.interop.schema import comal_graph
from fuseflow.errors import DataError
from fuseflow.formats import FiberTree
from fuseflow.formats.atomic import existing, replacing

BINARY_NAME = "graph.bin"
TEXT_NAME = "graph.pbtxt"
TEXT_SUFFIXES = (".pbtxt", ".textproto", ".txt")
MOST_BYTES = 256 * 2**20
"""A larger graph file is taken for something else."""


def write_comal(folder: str | Path, graph: Graph, tensors: Mapping[str, FiberTree]) -> None:
    """Write ``graph`` as ``graph.bin`` and ``graph.pbtxt``, and the data files of the tensors that it reads.

    ``folder`` is made if need be. Raises VerifyError for a graph that the schema cannot hold, DataError for tensors
    that are missing or files that cannot be written.
    """
    missing = [name for name in graph.tensors if name not in tensors]
    if missing:
        raise DataError(f"graph {graph.name!r} reads tensor {missing[0]!r}, which is not given; pass all of them")
    message = to_message(graph, {name: tree.format.mode_order for name, tree in tensors.items()})
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DataError(f"cannot make the folder {folder}: {fault.strerror}; give another one") from None
    write_data(target, {name: tensors[name] for name in _used(graph) if name in tensors})
    for name, shape in _scanned_only(graph, tensors).items():
        write_shape(target, name, shape)
    with replacing(target / BINARY_NAME) as file:
        file.write(message.SerializeToString(deterministic=True))
    with replacing(target / TEXT_NAME) as file:
        file.write(text_format.MessageToString(message).encode())


def read_comal(path: str | Path) -> tuple[Graph, dict[str, FiberTree]]:
    """The graph at ``path`` and its tensors: a folder as :func:`write_comal` makes it, or a graph file beside its data.

    A file whose name ends in ``.pbtxt``, ``.textproto`` or ``.txt`` is in text form. Raises DataError for files that
    cannot be read, VerifyError for a graph that cannot run.
    """
    file = _graph_file(Path(path))
    message = _parse(file)
    folder = file.parent
    names = {
        getattr(operation, kind).tensor
        for operation in message.graph.operators
        for kind in ("fiber_lookup", "array")
        if operation.WhichOneof("op") == kind
    }
    shapes = {name: shape for name in sorted(names) if name and (shape := read_shape(folder, name)) is not None}
    imported = from_message(message, shapes, str(file))
    return imported.graph, {name: read_data(folder, name, levels) for name, levels in imported.levels.items()}


def read_graph(path: str | Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Imported:
    """Only the graph of a file; ``shapes`` are the sizes of its tensors, which a foreign file does not say."""
    file = _graph_file(Path(path))
    return from_message(_parse(file), shapes or {}, str(file))


def _used(graph: Graph) -> tuple[str, ...]:
    """Tensors with data: those read from storage, and those of dense levels that only have a size."""
    blocks = (node.block for node in graph)
    return tuple(dict.fromkeys(block.tensor for block in blocks if isinstance(block, Array | LevelScanner | Locate)))


def _scanned_only(graph: Graph, tensors: Mapping[str, FiberTree]) -> dict[str, tuple[int, ...]]:
    """Sizes of what is no tensor but a whole dimension, which dense scanners list."""
    sizes: dict[str, dict[int, int]] = {}
    for node in graph:
        if isinstance(node.block, LevelScanner) and node.block.extent is not None and node.block.tensor not in tensors:
            sizes.setdefault(node.block.tensor, {})[node.block.level] = node.block.extent
    return {name: tuple(found.get(level, 0) for level in range(max(found) + 1)) for name, found in sizes.items()}


def _graph_file(path: Path) -> Path:
    if not path.is_dir():
        return existing(path, "graph")
    for name in (BINARY_NAME, TEXT_NAME):
        if (path / name).is_file():
            return path / name
    raise DataError(f"{path}: there is no {BINARY_NAME} and no {TEXT_NAME} in it; name the graph file itself")


def _parse(file: Path) -> Any:
    message = comal_graph()()
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{file} has {size} bytes; a graph file has at most {MOST_BYTES}")
        content = file.read_bytes()
    except OSError as fault:
        raise DataError(f"cannot read {file}: {fault.strerror or fault}") from None
    if file.suffix not in TEXT_SUFFIXES:
        try:
            message.ParseFromString(content)
        except (DecodeError, RecursionError) as fault:
            raise DataError(f"{file} is no graph in the simulator's binary form: {fault}") from None
        return message
    try:
        text_format.Parse(content.decode("utf-8"), message)
    except UnicodeDecodeError as fault:
        raise DataError(f"{file} is not UTF-8 text: byte {fault.start} is {content[fault.start]:#04x}") from None
    except (text_format.ParseError, RecursionError) as fault:
        raise DataError(f"{file} is no graph in the simulator's text form: line {fault}") from None
    return message
