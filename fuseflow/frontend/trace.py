"""From an unmodified PyTorch module to a program, through ``torch.export``.

Every node of the exported graph is translated by the handler of its op, or refused by name and source line.
"""

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

from fuseflow.einsum import Program, Tensor, UnaryOp, verify
from fuseflow.errors import FuseflowError, TraceError
from fuseflow.formats import FiberTree, Format
from fuseflow.frontend.constants import fold, follow
from fuseflow.frontend.decompose import decomposed
from fuseflow.frontend.hidden import Hidden
from fuseflow.frontend.in_place import ALIASES, rebind
from fuseflow.frontend.naming import failing_line, identifier
from fuseflow.frontend.operations import HANDLERS, IGNORED, unsupported
from fuseflow.frontend.recording import Source
from fuseflow.frontend.storage import choose_formats, store
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value
from fuseflow.frontend.views import HANDLERS as VIEWS

if TYPE_CHECKING:
    import torch
    from torch import fx


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

    Inputs of whole numbers and truth values are data that masks, positions and lookups are made of; what follows from
    them and from parameters alone is computed here (``docs/ops.md``) and may be given a format by its name, too.

    The module is traced as in ``eval()``; its training flags are as before afterwards. Raises TraceError for anything
    that cannot be translated, FormatError for a format that does not fit, DataError for NaN or infinity in data.
    """
    exported = _export(module, inputs)
    found = _placeholders(exported, module, inputs)
    translator = Translator()
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            _declare(translator, node, found)
    _translate(translator, exported.graph)
    outputs = _outputs(translator, exported.graph)
    used = {access.tensor for statement in translator.statements for access in statement.operands}
    inputs_read = [name for name in translator.sources if name in used]
    chosen = choose_formats(translator, inputs_read, outputs, found.aliases, formats or {})
    names = [*inputs_read, *(statement.name for statement in translator.statements)]
    declared = tuple(Tensor(name, translator.shapes[name], chosen[name]) for name in names)
    program = Program(declared, tuple(translator.statements), outputs)
    verify(program)
    return Traced(program, {name: store(translator.sources[name], chosen[name]) for name in inputs_read})


def _declare(translator: Translator, node: "fx.Node", found: "_Placeholders") -> None:
    """Make a placeholder known: a float tensor as an input of the program, anything else as data to compute with."""
    import torch

    if node.name not in found.labels:
        raise TraceError(f"input {node.name!r} of the exported module is no tensor; pass tensors only")
    label = translator.labels[node] = found.labels[node.name]
    data = found.data[label]
    is_input = node.name in found.inputs
    if not data.dtype.is_floating_point and not data.dtype.is_complex:
        translator.known[node] = data
        if is_input:
            translator.from_data.add(node)
        return
    if is_input:
        translator.given[node] = data
    elif data.layout is torch.strided:
        translator.known[node] = data
    shared = [value for value in translator.values.items() if translator.labels[value[0]] == label]
    if shared:
        translator.values[node] = shared[0][1]
    elif is_input:
        made = translator.declare(identifier(label), tuple(data.shape))
        translator.sources[made.tensor] = Source(label, data, tuple(data.shape), tuple(range(data.dim())))
        translator.values[node] = made
    else:
        translator.values[node] = translator.constant(label, data)


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
    _check_call(module, inputs)
    flags = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with _quiet(), torch.no_grad():
            exported = decomposed(torch.export.export(module, inputs, strict=False))
    except FuseflowError:
        raise
    except Exception as error:
        raise _refused(module, inputs, error) from error
    finally:
        for part, training in flags.items():
            part.training = training
    _check_results(exported, module)
    return exported


def _check_call(module: "torch.nn.Module", inputs: tuple[Any, ...]) -> None:
    """TraceError if ``forward`` does not take so many inputs."""
    signature = inspect.signature(module.forward)
    try:
        signature.bind(*inputs)
    except TypeError:
        count = f"{len(inputs)} input{'s' if len(inputs) != 1 else ''}"
        raise TraceError(
            f"{type(module).__name__}.forward({', '.join(signature.parameters)}) cannot be called with {count}; pass a "
            "tensor for each of its arguments, in their order"
        ) from None


def _refused(module: "torch.nn.Module", inputs: tuple[Any, ...], error: Exception) -> TraceError:
    """What torch.export says of a module that it cannot export, in words."""
    from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

    line = failing_line(error)
    where = f"{type(module).__name__} on inputs of shapes {[tuple(item.shape) for item in inputs]}"
    where = f"{where} ({line})" if line else where
    if isinstance(error, GuardOnDataDependentSymNode):
        return TraceError(
            f"cannot export {where}: this line asks for the value of a tensor, on which the program would depend. "
            "Decide it before the call, or choose element by element with a mask"
        )
    reason = str(error).strip().splitlines()
    return TraceError(
        f"torch.export cannot export {where}: {reason[0].rstrip('.') if reason else type(error).__name__}. The module "
        "must run on these inputs and must not branch on their values"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what torch warns, logs and prints while it exports: what matters becomes the message of the error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
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
    to its tensor. A tensor with several names has one label; ``aliases`` maps each name to it. ``inputs`` are the
    placeholders of forward arguments.
    """

    labels: dict[str, str] = field(default_factory=dict)
    data: dict[str, "torch.Tensor"] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)


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
            found.inputs.add(name)
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
        op = getattr(node.target, "_opname", None) or str(getattr(node.target, "__name__", node.target))
        if op in IGNORED or (op == "getitem" and not node.users):
            continue
        if op in ALIASES and node.all_input_nodes:
            translator.storage[node] = node.all_input_nodes[0]
        if fold(translator, node, op) and not (op in VIEWS and node.all_input_nodes[0] in translator.values):
            continue
        translator.values[node] = _call(translator, node, op)
        if op in VIEWS:
            follow(translator, node)
    translator.node = None
    translator.layer = ""
    others = [node for node in graph.nodes if node.op not in ("placeholder", "call_function", "output")]
    if others:
        raise TraceError(f"node {others[0].name} of kind {others[0].op} is not supported; pass its value as an input")


def _call(translator: Translator, node: "fx.Node", op: str) -> "Value | list[Value]":
    if op == "getitem":
        return _item(translator, node)
    base = op
    if op not in HANDLERS and op.endswith("_") and not op.endswith("__") and op[:-1] in HANDLERS:
        base = op[:-1]
    handler = HANDLERS.get(base)
    if handler is None or getattr(node.target, "namespace", "aten") != "aten":
        raise unsupported(node, op)
    _check_arguments(translator, node)
    path = _module_path(node)
    stem = ".".join([*path, op.strip("_")] if not path or path[-1] != op else path)
    made = handler(translator, node, translator.kernel(stem))
    if base != op and isinstance(made, Value):
        rebind(translator, node, node.all_input_nodes[0], made, base)
    return made


def _item(translator: Translator, node: "fx.Node") -> Value:
    """``results[number]`` of an operation with several results."""
    source, place = node.args[:2]
    several = translator.values.get(node.all_input_nodes[0])
    if not isinstance(several, list) or not isinstance(place, int) or place >= len(several):
        raise translator.fault(f"result {place} of {source} is not computed; only the values are")
    return several[place]


ARGUMENTS = frozenset(
    {
        "alpha", "approximate", "attn_mask", "beta", "bias", "correction", "device", "dim", "dropout_p", "dtype",
        "enable_gqa", "eps", "is_causal", "keepdim", "layout", "max", "memory_format", "min", "non_blocking",
        "pin_memory", "scale", "train", "weight",
    }
)  # fmt: skip
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
    names: list[str] = []
    for result in results:
        if result not in translator.values and result not in translator.known:
            raise TraceError(f"the module returns {result!r} among its results; return tensors only")
        value = translator.value(result)
        if translator.hidden.get(value.tensor) is Hidden.INFINITE:
            raise TraceError(
                f"the module returns {value.tensor!r}, which a mask makes minus infinity; return the softmax of it"
            )
        if None in value.axes:
            value = translator.solid("output", value)
        made = {statement.name for statement in translator.statements}
        if not value.is_plain or value.tensor not in made or value.tensor in names:
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
