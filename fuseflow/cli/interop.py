"""``fuseflow export`` and ``fuseflow simulate``: graphs for other tools, and graphs from them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.inputs import check_request, make_model, output_file
from fuseflow.cli.options import EngineName, Request, for_model
from fuseflow.errors import DataError, SimulationError
from fuseflow.schedule import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuseflow.dataflow import Graph
    from fuseflow.formats import FiberTree, Format
    from fuseflow.sim import Result


class FileFormat(StrEnum):
    """Graph files of other tools."""

    dot = "dot"
    comal = "comal"


@reported
@for_model
def export(
    request: Request,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write; made if need be.")],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="SAM's DOT, or the reference simulator's protobuf and data files.")
    ] = FileFormat.dot,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="NAME", help="A preset or the path of a .json schedule.")
    ] = "partial",
) -> None:
    """Write the graphs of a compiled model, one per kernel, for SAM or for the reference simulator."""
    check_request(request)
    chosen = named(schedule)
    made = make_model(request)
    from fuseflow.compiled import compile
    from fuseflow.dataflow.interop import extensions
    from fuseflow.export import export as write_files

    compiled = compile(made, chosen(made.program))
    paths = write_files(compiled, out, file_format.value)
    for path, region in zip(paths, compiled.regions, strict=True):
        typer.echo(f"{path}: {len(region.graph)} nodes")
        for text in extensions(region.graph) if file_format is FileFormat.comal else ():
            typer.echo(f"  not in the reference simulator: {text}")


@reported
def simulate(
    graph: Annotated[
        Path, typer.Argument(metavar="GRAPH", help="SAM DOT (.gv, .dot), or the reference's graph file or folder.")
    ],
    tensors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=]FILE...", help="Tensors: .mtx, .tns, .npz, or folders of number files."),
    ] = None,
    engine: Annotated[EngineName, typer.Option("--engine", help="Simulator.")] = EngineName.compiled,
    both: Annotated[bool, typer.Option("--compare", help="Run both engines; exit code 1 if they differ.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write the result: .mtx, .tns or .npz.")
    ] = None,
    schedule: Annotated[str, typer.Option("--schedule", metavar="NAME", help="For MLIR: preset or .json.")] = "full",
    masks: Annotated[list[str] | None, typer.Option("--mask", metavar="NAME", help="For MLIR: a mask.")] = None,
) -> None:
    """Simulate a graph from a file, or a program in MLIR, on tensors from files."""
    if graph.suffix.lower() == ".mlir":
        _simulate_mlir(graph, tensors or [], schedule, masks or [], engine)
        return
    target = None if out is None else output_file(Path(out))
    if target is not None:
        _writer(target)
    made, data = _read(graph, tensors or [])
    result = _run(made, data, engine)
    typer.echo(f"{made.name}: {len(made)} nodes, {result.cycles} cycles, {result.flops} FLOPs, {result.bytes} bytes")
    for name, tree in result.outputs.items():
        typer.echo(f"{name}: shape {'x'.join(map(str, tree.shape)) or 'scalar'}, {tree.stored} values written")
    if target is not None:
        if len(result.outputs) != 1:
            raise DataError(f"the graph has {len(result.outputs)} results; --out writes one")
        _writer(target)(target, result.output)
    if both:
        other = EngineName.interpreter if engine is EngineName.compiled else EngineName.compiled
        _compare(result, _run(made, data, other), engine, other)


def _simulate_mlir(path: Path, given: list[str], schedule: str, masks: list[str], engine: EngineName) -> None:
    """Compile, run and check a program; what is not given is random."""
    from fuseflow.compiled import compile
    from fuseflow.models import from_mlir

    chosen = named(schedule)
    data = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not equals:
            raise DataError(f"{text}: say which tensor it is, as in arg0={text}")
        data[name] = _reader(Path(file))(Path(file))
    model = from_mlir(path, data, masks=masks)
    run = compile(model, chosen(model.program)).simulate(engine=engine.value)
    typer.echo(repr(run))
    for what, text in model.notes.items():
        typer.echo(f"  {what}: {text}")
    typer.echo(f"  {run.check()!r}")


def _compare(first: "Result", second: "Result", engine: EngineName, other: EngineName) -> None:
    import numpy as np

    same = first.cycles == second.cycles and first.nodes == second.nodes
    for name, tree in first.outputs.items():
        same = same and bool(np.array_equal(tree.to_dense(), second.outputs[name].to_dense(), equal_nan=True))
    if not same:
        typer.echo(f"the engines differ: {engine.value} {first.cycles} cycles, {other.value} {second.cycles} cycles")
        raise typer.Exit(1)
    typer.echo(f"{other.value}: the same cycles, counters and values")


def _run(graph: "Graph", tensors: "dict[str, FiberTree]", engine: EngineName) -> "Result":
    from fuseflow import sim

    needed = {name: tensors[name] for name in graph.tensors if name in tensors}
    missing = [name for name in graph.tensors if name not in tensors]
    if missing:
        raise DataError(f"the graph reads tensor {missing[0]!r}; give it as {missing[0]}=FILE")
    try:
        return sim.simulate(graph, needed) if engine is EngineName.compiled else sim.interpret(graph, needed)
    except SimulationError as fault:
        raise SimulationError(f"{graph.name}, engine {engine.value}: {fault}") from None


def _read(path: Path, given: list[str]) -> "tuple[Graph, dict[str, FiberTree]]":
    from fuseflow.dataflow.interop import dot_formats, read_comal, read_dot
    from fuseflow.formats import read_npz

    if path.suffix.lower() not in (".gv", ".dot"):
        if given:
            raise DataError(f"{path} reads its tensors from the files beside it; give the graph alone")
        return read_comal(path)
    formats = dot_formats(path)
    trees: dict[str, FiberTree] = {}
    for text in given:
        trees |= _tensors(text, formats)
    for name, layout in formats.items():  # what ``fuseflow export`` has written beside the graph
        file = path.with_suffix("") / f"{name}.npz"
        if name not in trees and file.is_file():
            trees[name] = read_npz(file).convert(layout)
    return read_dot(path, trees), trees


def _tensors(text: str, formats: "dict[str, Format]") -> "dict[str, FiberTree]":
    """What ``NAME=FILE``, ``FILE`` (its stem is the name) or ``FOLDER`` holds, in the format that the graph reads."""
    from fuseflow.dataflow.interop import StoredLevel, read_data
    from fuseflow.formats import LevelKind

    name, equals, rest = text.partition("=")
    path = Path(rest if equals else text)
    if path.is_dir() and not equals:
        found = {}
        for tensor, layout in formats.items():
            if (path / f"tensor_{tensor}_mode_vals").is_file():
                kinds = zip(layout.mode_order, layout.levels, strict=True)
                levels = [StoredLevel(mode, level.kind is LevelKind.DENSE) for mode, level in kinds]
                found[tensor] = read_data(path, tensor, levels)
        if not found:
            raise DataError(f"{path}: no file tensor_<name>_mode_vals of a tensor that the graph reads")
        return found
    label = name if equals else path.name.split(".")[0]
    if label not in formats:
        raise DataError(f"the graph has no tensor {label!r}; it has {', '.join(formats)}: give NAME=FILE")
    return {label: _reader(path)(path).convert(formats[label])}


def _reader(path: Path) -> "Callable[[Path], FiberTree]":
    """The function that reads files named so."""
    from fuseflow.formats import read_mtx, read_npz, read_tns

    readers: dict[str, Callable[[Path], FiberTree]] = {".mtx": read_mtx, ".tns": read_tns, ".npz": read_npz}
    suffix = next((each for each in readers if each in path.suffixes), None)
    if suffix is None:
        raise DataError(f"{path}: tensors are read from .mtx, .tns and .npz files, and from folders of number files")
    return readers[suffix]


def _writer(path: Path) -> "Callable[[Path, FiberTree], None]":
    """The function that writes files named so."""
    from fuseflow.formats import write_mtx, write_npz, write_tns

    writers: dict[str, Callable[[Path, FiberTree], None]] = {".mtx": write_mtx, ".tns": write_tns, ".npz": write_npz}
    if path.suffix not in writers:
        raise DataError(f"{path}: results are written to .mtx, .tns and .npz files")
    return writers[path.suffix]
