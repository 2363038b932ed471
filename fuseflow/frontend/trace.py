"""From an unmodified PyTorch module to a program, through ``torch.export``.

Every node of the exported graph is translated by the handler of its op, or refused by name and source line.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuseflow.einsum import Program, Tensor, UnaryOp, verify
from fuseflow.errors import FuseflowError, TraceError
from fuseflow.formats import FiberTree, Format
from fuseflow.frontend import elementwise, products, softmax, views
from fuseflow.frontend.translator import Translator, identifier, source_line
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx

HANDLERS: dict[str, Callable[[Translator, "fx.Node", str], Value]] = {
    **products.HANDLERS,
    **elementwise.HANDLERS,
    **softmax.HANDLERS,
    **views.HANDLERS,
}
"""Op name (of the ``aten`` namespace) to its handler: the whole op table."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced module: its program and the data of every input and parameter, stored in the declared formats."""

    program: Program
    tensors: dict[str, FiberTree]


def trace(
    module: "torch.nn.Module", inputs: tuple[Any, ...], formats: Mapping[str, str | Format] | None = None
) -> Traced:
    """Translate ``module`` called with ``inputs``.

    ``formats`` gives storage formats by the name of a forward argument or parameter (``"adjacency"``,
    ``"conv1.linear.weight"``). Without one, a sparse tensor keeps its layout (COO becomes ``dcsr``) and a dense tensor is
    stored dense, in the order in which the program reads it.

    Raises TraceError for anything that cannot be translated, DataError for NaN or infinity in data.
    """
    exported = _export(module, inputs)
    graph = exported.graph
    labels, data = _inputs(exported, module, inputs)
    translator = Translator()
    names: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            if node.name not in labels:
                raise TraceError(f"input {node.name!r} of the exported module is no tensor; pass tensors only")
            label = labels[node.name]
            value = translator.declare(identifier(label), tuple(data[label].shape))
            translator.values[node] = value
            names[label] = value.tensor
    _translate(translator, graph)
    outputs = _outputs(translator, graph)
    chosen = _formats(translator, names, data, formats or {})
    used = {access.tensor for statement in translator.statements for access in statement.operands}
    declared = [
        Tensor(names[label], translator.shapes[names[label]], chosen[label]) for label in names if names[label] in used
    ]
    results = [
        Tensor(statement.name, translator.shapes[statement.name], Format.dense(len(statement.output.indices)))
        for statement in translator.statements
    ]
    program = Program((*declared, *results), tuple(translator.statements), outputs)
    verify(program)
    tensors = {names[label]: _store(label, data[label], chosen[label]) for label in names if names[label] in used}
    return Traced(program, tensors)


def _export(module: "torch.nn.Module", inputs: tuple[Any, ...]) -> "torch.export.ExportedProgram":
    import torch

    for number, item in enumerate(inputs):
        if not isinstance(item, torch.Tensor):
            raise TraceError(f"input {number} is a {type(item).__name__}; pass tensors only")
    was_training = module.training
    module.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(module, inputs, strict=False)
    except FuseflowError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise TraceError(
            f"torch.export cannot export {type(module).__name__} on inputs of shapes "
            f"{[tuple(item.shape) for item in inputs]}: {reason[0] if reason else type(error).__name__}. The module must run "
            "on these inputs and must not branch on their values"
        ) from error
    finally:
        module.train(was_training)


def _inputs(
    exported: "torch.export.ExportedProgram", module: "torch.nn.Module", inputs: tuple[Any, ...]
) -> tuple[dict[str, str], dict[str, "torch.Tensor"]]:
    """Label of every placeholder (argument or parameter name), and the tensor behind each label."""
    from torch.export.graph_signature import InputKind

    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    labels: dict[str, str] = {}
    data: dict[str, Any] = {}
    position = 0
    for spec in exported.graph_signature.input_specs:
        name = getattr(spec.arg, "name", "")
        if spec.kind is InputKind.USER_INPUT:
            labels[name] = name
            data[name] = inputs[position]
            position += 1
        elif spec.target is not None:
            found = state.get(spec.target, exported.constants.get(spec.target))
            if found is None or not hasattr(found, "shape"):
                raise TraceError(f"parameter {spec.target!r} of the module holds no tensor")
            labels[name] = spec.target
            data[spec.target] = found.detach()
    return labels, data


def _translate(translator: Translator, graph: "fx.Graph") -> None:
    calls = [node for node in graph.nodes if node.op == "call_function"]
    layers = _layers(calls)
    groups: dict[str, int] = {}
    for node in calls:
        translator.node = node
        translator.layer = layers[node]
        op = getattr(node.target, "_opname", None) or str(node.target)
        handler = HANDLERS.get(op)
        if handler is None or getattr(node.target, "namespace", "aten") != "aten":
            raise TraceError(
                f"op {node.target} is not supported ({source_line(node) or 'no source line'}). Supported are "
                f"{', '.join(sorted(name for name in HANDLERS if not name.startswith('_')))}"
            )
        path = _module_path(node)
        stem = ".".join([*path, op.strip("_")] if not path or path[-1] != op else path)
        groups[stem] = groups.get(stem, 0) + 1
        group = stem if groups[stem] == 1 else f"{stem}_{groups[stem]}"
        translator.values[node] = handler(translator, node, group)
    translator.node = None
    others = [node for node in graph.nodes if node.op not in ("placeholder", "call_function", "output")]
    if others:
        raise TraceError(f"node {others[0].name} of kind {others[0].op} is not supported; pass its value as an input")


def _module_path(node: "fx.Node") -> tuple[str, ...]:
    """Names of the modules that ``node`` was called in, outermost first."""
    stack = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values() if path]
    return tuple(paths[-1].split(".")) if paths else ()


def _layers(calls: list["fx.Node"]) -> dict["fx.Node", str]:
    """Layer of every call: the outermost modules of which there are at least two."""
    paths = {node: _module_path(node) for node in calls}
    for depth in range(1, max((len(path) for path in paths.values()), default=0) + 1):
        labels = {node: ".".join(path[:depth]) for node, path in paths.items()}
        if len({label for label in labels.values() if label}) > 1:
            return labels
    return dict.fromkeys(calls, "")


def _outputs(translator: Translator, graph: "fx.Graph") -> tuple[str, ...]:
    output = next(node for node in graph.nodes if node.op == "output")
    results = output.args[0] if isinstance(output.args[0], list | tuple) else (output.args[0],)
    names = []
    made = {statement.name for statement in translator.statements}
    for result in results:
        value = translator.value(result)
        if value.axes != tuple(range(len(value.axes))) or value.tensor not in made:
            value = translator.unary("output", UnaryOp.IDENTITY, value, "output")
        names.append(value.tensor)
    if not names:
        raise TraceError("the module returns no tensor")
    _drop_unused(translator, names)
    return tuple(names)


def _drop_unused(translator: Translator, outputs: list[str]) -> None:
    needed = set(outputs)
    kept = []
    for statement in reversed(translator.statements):
        if statement.name in needed:
            kept.append(statement)
            needed |= {access.tensor for access in statement.operands}
    translator.statements = kept[::-1]


def _formats(
    translator: Translator, names: dict[str, str], data: dict[str, Any], wanted: Mapping[str, str | Format]
) -> dict[str, Format]:
    import torch

    by_label = {label: label for label in names} | {name: label for label, name in names.items()}
    unknown = [name for name in wanted if name not in by_label]
    if unknown:
        raise TraceError(f"formats names {unknown[0]!r}, but the module has {', '.join(names)}")
    chosen = {by_label[name]: spec for name, spec in wanted.items()}
    layouts = {torch.sparse_csr: "csr", torch.sparse_csc: "csc"}
    found: dict[str, Format] = {}
    for label, name in names.items():
        order = len(translator.shapes[name])
        spec = chosen.get(label)
        if spec is None and data[label].layout is not torch.strided:
            spec = layouts.get(data[label].layout, "dcsr" if order == 2 else "c" * order)
        if spec is None:
            spec = Format(Format.dense(order).levels, _reading_order(translator, name, order))
        found[label] = Format.parse(spec, order) if isinstance(spec, str) else spec
    return found


def _reading_order(translator: Translator, name: str, order: int) -> tuple[int, ...]:
    """Mode order in which the first statement that reads ``name`` runs through it, judged by its output indices."""
    for statement in translator.statements:
        for access in statement.operands:
            if access.tensor == name:
                output = statement.output.indices
                # Reduced indices come before the free index of a right operand, as in a product by rows.
                place = {
                    index: len(statement.output.indices) - 0.5 if index not in output else float(output.index(index))
                    for index in access.indices
                }
                if access is statement.operands[-1]:
                    place = {index: -1.0 if index not in output else where for index, where in place.items()}
                return tuple(sorted(range(order), key=lambda dimension: place[access.indices[dimension]]))
    return tuple(range(order))


def _store(label: str, tensor: "torch.Tensor", layout: Format) -> FiberTree:
    import torch

    if tensor.dtype not in (torch.float32, torch.float64):
        raise TraceError(f"tensor {label!r} has dtype {tensor.dtype}; convert it to torch.float32")
    try:
        return FiberTree.from_torch(tensor.detach(), layout)
    except FuseflowError as error:
        raise type(error)(f"tensor {label!r}: {error}") from None
