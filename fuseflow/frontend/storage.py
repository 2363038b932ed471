"""How the tensors of a traced program are stored: as the user says, as their data are, or as they are read."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fuseflow.einsum import Product, Program, Tensor, masked_tensors
from fuseflow.einsum.masks import default_format
from fuseflow.errors import FormatError, FuseflowError, TraceError
from fuseflow.formats import FiberTree, Format
from fuseflow.frontend.recording import Source
from fuseflow.frontend.translator import Translator

if TYPE_CHECKING:
    pass


def choose_formats(
    translator: Translator,
    inputs: Iterable[str],
    outputs: tuple[str, ...],
    aliases: Mapping[str, str],
    wanted: Mapping[str, str | Format],
) -> dict[str, Format]:
    """Formats of inputs and results by tensor name: as ``wanted``, or the obvious ones.

    ``aliases`` maps other names of an input's data to its label. Raises TraceError for an unknown name and FormatError
    for a format that does not fit.
    """
    statements = tuple(translator.statements)
    shapes = {statement.name: translator.shapes[statement.name] for statement in statements}
    results = tuple(Tensor(name, shape, Format.dense(len(shape))) for name, shape in shapes.items())
    sources = {name: translator.sources[name] for name in inputs}
    declared = tuple(
        Tensor(name, translator.shapes[name], Format.dense(len(translator.shapes[name]))) for name in inputs
    )
    masked = masked_tensors(Program((*declared, *results), statements, outputs))
    known = {source.label: name for name, source in sources.items()} | {name: name for name in sources}
    known |= {alias: known[label] for alias, label in aliases.items() if label in known}
    chosen: dict[str, str | Format] = {}
    for name, spec in wanted.items():
        if name not in known and name not in shapes:
            raise TraceError(
                f"formats names {name!r}, but the module has {', '.join(source.label for source in sources.values())} "
                f"and computes {', '.join(shapes)}"
            )
        chosen[known.get(name, name)] = spec
    found = {name: _input_format(translator, name, source, chosen.get(name)) for name, source in sources.items()}
    for statement in statements:
        name, order = statement.name, len(shapes[statement.name])
        if name in chosen:
            found[name] = _format(name, chosen[name], order)
        elif statement.is_layout and name not in masked:
            # Moved elements can be stored as they are read next; what is sparse stays sparse.
            dense = all(found[access.tensor].is_dense for access in statement.operands)
            levels = Format.parse(("d" if dense else "c") * order, order).levels if order else Format.dense(0).levels
            found[name] = Format(levels, reading_order(translator, name, order))
        else:
            found[name] = default_format(order, name in masked)
    return found


def _input_format(translator: Translator, name: str, source: Source, spec: str | Format | None) -> Format:
    import torch

    order = len(source.kept)
    if spec is not None:
        return _without(_format(source.label, spec, len(source.shape)), source.kept)
    if source.data.layout is not torch.strided:
        layouts = {torch.sparse_csr: "csr", torch.sparse_csc: "csc"}
        return Format.parse(layouts.get(source.data.layout, "c" * order), order)
    letters = {None: "d" * order, "c": "c" * order, "csr": "d" * (order - 1) + "c" * bool(order)}[source.layout]
    levels = Format.parse(letters, order).levels if order else Format.dense(0).levels
    return Format(levels, reading_order(translator, name, order))


def _without(layout: Format, kept: tuple[int, ...]) -> Format:
    """``layout`` without the levels of the dimensions that are not in ``kept``."""
    if len(kept) == len(layout.mode_order):
        return layout
    pairs = [(level, mode) for level, mode in zip(layout.levels, layout.mode_order, strict=True) if mode in kept]
    return Format(tuple(level for level, _ in pairs), tuple(kept.index(mode) for _, mode in pairs))


def _format(label: str, spec: str | Format, order: int) -> Format:
    try:
        layout = Format.parse(spec, order) if isinstance(spec, str) else spec
    except FormatError as error:
        raise FormatError(f"format of {label!r}: {error}") from None
    if not isinstance(layout, Format) or layout.order != order:
        raise FormatError(f"format of {label!r}: {layout} does not fit a tensor of order {order}")
    return layout


def reading_order(translator: Translator, name: str, order: int) -> tuple[int, ...]:
    """Mode order in which the first statement that reads ``name`` runs through it, judged by its output indices."""
    for statement in translator.statements:
        for access in statement.operands:
            if access.tensor == name and not statement.is_layout:
                output = statement.output.indices
                # A reduced index comes last; in a right operand before its free indices, as in a product by rows.
                reduced = float(len(output))
                if isinstance(statement.expression, Product) and access is statement.operands[-1]:
                    left = statement.operands[0].indices
                    free = [output.index(index) for index in access.indices if index in output and index not in left]
                    reduced = min(free, default=len(output)) - 0.5
                place = {index: float(output.index(index)) if index in output else reduced for index in access.indices}
                return tuple(sorted(range(order), key=lambda dimension: place[access.indices[dimension]]))
    return tuple(range(order))


def store(source: Source, layout: Format) -> FiberTree:
    """The data of an input in format ``layout``; TraceError for a type that graphs do not compute in."""
    import torch

    tensor, label = source.data, source.label
    if tensor.dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
        tensor = tensor.float()
    if tensor.dtype not in (torch.float32, torch.float64):
        raise TraceError(f"tensor {label!r} has dtype {tensor.dtype}; pass it as torch.float32")
    try:
        return FiberTree.from_torch(tensor.detach(), layout)
    except FuseflowError as error:
        raise type(error)(f"tensor {label!r}: {error}") from None
