"""From an unmodified PyTorch module to a program, through ``torch.export``.

Every node of the exported graph is translated by the handler of its op, or refused by name and source line.
"""

import inspect
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fuseflow.einsum import Product, Program, Tensor, UnaryOp, verify
from fuseflow.errors import FormatError, FuseflowError, TraceError
from fuseflow.formats import FiberTree, Format
from fuseflow.frontend import elementwise, products, softmax, views
from fuseflow.frontend.translator import Translator, failing_line, identifier, source_line
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
    ``"conv1.linear.weight"``), or of a result of the program, which is stored so between kernels (``"linear"``;
    dense by default). Without one, a sparse tensor keeps its layout (COO becomes ``dcsr``) and a dense tensor
    is stored dense, in the order in which the program reads it.

    The module is traced as in ``eval()``; its training flags are as before afterwards. Raises TraceError for anything
    that cannot be translated, FormatError for a format that does not fit, DataError for NaN or infinity in data.
    """
    exported = _export(module, inputs)
    graph = exported.graph
    found = _placeholders(exported, module, inputs)
    data = found.data
    translator = Translator()
    names: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            if node.name not in found.labels:
                raise TraceError(f"input {node.name!r} of the exported module is no tensor; pass tensors only")
            label = found.labels[node.name]
            if label not in names:
                names[label] = translator.declare(identifier(label), tuple(data[label].shape)).tensor
            shape = translator.shapes[names[label]]
            translator.values[node] = Value(names[label], tuple(range(len(shape))), shape)
    _translate(translator, graph)
    outputs = _outputs(translator, graph)
    chosen, stored = _formats(translator, names, found, formats or {})
    used = {access.tensor for statement in translator.statements for access in statement.operands}
    declared = [
        Tensor(names[label], translator.shapes[names[label]], chosen[label]) for label in names if names[label] in used
    ]
    results = [
        Tensor(statement.name, translator.shapes[statement.name], stored[statement.name])
        for statement in translator.statements
    ]
    program = Program((*declared, *results), tuple(translator.statements), outputs)
    verify(program)
    tensors = {names[label]: _store(label, data[label], chosen[label]) for label in names if names[label] in used}
    return Traced(program, tensors)


def _export(module: "torch.nn.Module", inputs: tuple[Any, ...]) -> "torch.export.ExportedProgram":
    import torch

    if not isinstance(module, torch.nn.Module):
        raise TraceError(f"expected a torch.nn.Module, got {type(module).__name__}; wrap the function in a module")
    if not isinstance(inputs, tuple):
        raise TraceError(
            f"the inputs must be a tuple of tensors, not {type(inputs).__name__}; for one input write (x,)"
        )
    for number, item in enumerate(inputs):
        if not isinstance(item, torch.Tensor):
            raise TraceError(f"input {number} is a {type(item).__name__}; pass tensors only")
    flags = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with _quiet(), torch.no_grad():
            exported = torch.export.export(module, inputs, strict=False)
    except FuseflowError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()
        line = failing_line(error)
        raise TraceError(
            f"torch.export cannot export {type(module).__name__} on inputs of shapes "
            f"{[tuple(item.shape) for item in inputs]}{f' ({line})' if line else ''}: "
            f"{reason[0].rstrip('.') if reason else type(error).__name__}. The module must run on these inputs and "
            "must not branch on their values"
        ) from error
    finally:
        for part, training in flags.items():
            part.training = training
    _check_results(exported, module)
    return exported


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what torch warns and logs while it exports: what matters of it becomes the message of the error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _check_results(exported: "torch.export.ExportedProgram", module: "torch.nn.Module") -> None:
    from torch.utils import _pytree

    structure = exported.call_spec.out_spec
    if structure is None:
        return
    results = _pytree.tree_unflatten(list(range(structure.num_leaves)), structure)
    nested = [item for item in results if not isinstance(item, int)] if isinstance(results, tuple | list) else []
    if nested or not isinstance(results, tuple | list | int):
        kind = type(nested[0] if nested else results).__name__
        raise TraceError(
            f"{type(module).__name__} returns {f'a {kind} within a tuple' if nested else f'a {kind}'}; return one "
            "tensor or a tuple of tensors"
        )


@dataclass(slots=True)
class _Placeholders:
    """What goes into an exported graph.

    ``labels`` maps the name of a placeholder node to its label (forward argument or parameter name), ``data`` a label
    to its tensor. A tensor with several names has one label; ``aliases`` maps each name to it.
    """

    labels: dict[str, str] = field(default_factory=dict)
    data: dict[str, "torch.Tensor"] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def _argument_names(module: "torch.nn.Module", placeholders: list[str]) -> list[str]:
    """Names of the forward arguments as the user wrote them; the exported graph has them in lower case."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    written = [name for name, item in inspect.signature(module.forward).parameters.items() if item.kind in kinds]
    return [*written[: len(placeholders)], *placeholders[len(written) :]]


def _placeholders(
    exported: "torch.export.ExportedProgram", module: "torch.nn.Module", inputs: tuple[Any, ...]
) -> _Placeholders:
    from torch.export.graph_signature import InputKind

    state = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    specs = exported.graph_signature.input_specs
    placeholders = [getattr(spec.arg, "name", "") for spec in specs if spec.kind is InputKind.USER_INPUT]
    arguments = _argument_names(module, placeholders)
    found = _Placeholders()
    owners: dict[int, str] = {}
    tensor: Any
    for spec in specs:
        name = getattr(spec.arg, "name", "")
        if spec.kind is InputKind.USER_INPUT:
            position = placeholders.index(name)
            label, tensor = arguments[position], inputs[position]
        else:
            tensor = state.get(spec.target or "", exported.constants.get(spec.target or ""))
            if tensor is None or not hasattr(tensor, "shape"):
                raise TraceError(f"parameter {spec.target!r} of the module holds no tensor; make it one or remove it")
            label = f"self.{spec.target}" if spec.target in arguments else spec.target
        owner = owners.setdefault(id(tensor), label)
        found.labels[name] = found.aliases[label] = owner
        found.data.setdefault(owner, tensor.detach())
    return found


def _translate(translator: Translator, graph: "fx.Graph") -> None:
    calls = [node for node in graph.nodes if node.op == "call_function"]
    layers = _layers(calls)
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
        _check_arguments(translator, node)
        path = _module_path(node)
        stem = ".".join([*path, op.strip("_")] if not path or path[-1] != op else path)
        translator.values[node] = handler(translator, node, translator.kernel(stem))
    translator.node = None
    translator.layer = ""
    others = [node for node in graph.nodes if node.op not in ("placeholder", "call_function", "output")]
    if others:
        raise TraceError(f"node {others[0].name} of kind {others[0].op} is not supported; pass its value as an input")


ARGUMENTS = frozenset({"alpha", "beta", "bias", "dim", "memory_format", "train"})
"""Keyword arguments that the handlers look at; any other one would be dropped silently, so it is refused."""


def _check_arguments(translator: Translator, node: "fx.Node") -> None:
    for name, value in node.kwargs.items():
        if name not in ARGUMENTS and value is not None:
            raise translator.fault(f"{name}={value!r} is not supported; leave it out")


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
        value = translator.values.get(result)
        if value is None:
            raise TraceError(f"the module returns {result!r} among its results; return tensors only")
        if value.axes != tuple(range(len(value.axes))) or value.tensor not in made or value.tensor in names:
            # A view, an input, or a tensor returned twice: its copy is a result of its own.
            value = translator.unary("output", UnaryOp.IDENTITY, value, translator.kernel("output"))
        names.append(value.tensor)
    if not names:
        raise TraceError("the module returns no tensor; return at least one")
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
    translator: Translator, names: dict[str, str], placeholders: _Placeholders, wanted: Mapping[str, str | Format]
) -> tuple[dict[str, Format], dict[str, Format]]:
    """Formats of the inputs by label, and of the results by tensor name: as ``wanted``, or the obvious ones."""
    import torch

    data = placeholders.data
    results = {statement.name: Format.dense(len(statement.output.indices)) for statement in translator.statements}
    by_label = {name: label for label, name in names.items()} | placeholders.aliases | {label: label for label in names}
    unknown = [name for name in wanted if name not in by_label and name not in results]
    if unknown:
        raise TraceError(
            f"formats names {unknown[0]!r}, but the module has {', '.join(names)} and computes {', '.join(results)}"
        )
    chosen = {by_label[name]: spec for name, spec in wanted.items() if name in by_label}
    layouts = {torch.sparse_csr: "csr", torch.sparse_csc: "csc"}
    found: dict[str, Format] = {}
    for label, name in names.items():
        order = len(translator.shapes[name])
        spec = chosen.get(label)
        if spec is None and data[label].layout is not torch.strided:
            spec = layouts.get(data[label].layout, "dcsr" if order == 2 else "c" * order)
        if spec is None:
            spec = Format(Format.dense(order).levels, _reading_order(translator, name, order))
        found[label] = _format(label, spec, order)
    for name, spec in wanted.items():
        if name not in by_label:
            results[name] = _format(name, spec, results[name].order)
    return found, results


def _format(label: str, spec: str | Format, order: int) -> Format:
    try:
        layout = Format.parse(spec, order) if isinstance(spec, str) else spec
    except FormatError as error:
        raise FormatError(f"format of {label!r}: {error}") from None
    if not isinstance(layout, Format) or layout.order != order:
        raise FormatError(f"format of {label!r}: {layout} does not fit a tensor of order {order}")
    return layout


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
                if isinstance(statement.expression, Product) and access is statement.operands[-1]:
                    place = {index: -1.0 if index not in output else where for index, where in place.items()}
                return tuple(sorted(range(order), key=lambda dimension: place[access.indices[dimension]]))
    return tuple(range(order))


def _store(label: str, tensor: "torch.Tensor", layout: Format) -> FiberTree:
    import torch

    if tensor.dtype not in (torch.float32, torch.float64):
        raise TraceError(f"tensor {label!r} has dtype {tensor.dtype}; pass it as torch.float32")
    try:
        return FiberTree.from_torch(tensor.detach(), layout)
    except FuseflowError as error:
        raise type(error)(f"tensor {label!r}: {error}") from None
