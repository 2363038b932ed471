"""A model: a program, the data of its inputs, and the eager result to compare with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Program, interpret, parse
from fuseflow.errors import DataError, FuseflowError, ProgramError
from fuseflow.formats import FiberTree, Format, LevelKind
from fuseflow.frontend import trace as trace_module

if TYPE_CHECKING:
    import torch

Reference = Callable[[], dict[str, NDArray[np.floating]]]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A program with data. ``reference`` computes the outputs independently: eager PyTorch, or the dense interpreter.

    ``dataset`` names the data and ``synthetic`` says whether a generated twin stands in for the real one.
    """

    name: str
    program: Program
    tensors: Mapping[str, FiberTree]
    reference: Reference
    reference_name: str = "eager PyTorch"
    dataset: str = ""
    synthetic: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        data = f" on {self.dataset}{' (synthetic twin)' if self.synthetic else ''}" if self.dataset else ""
        lines = [f"Model {self.name}{data}"]
        lines += [
            f"  {tensor.name}{list(tensor.shape)} {tensor.format}, {self.tensors[tensor.name].stored} stored"
            for tensor in self.program.inputs
        ]
        return "\n".join([*lines, repr(self.program)])


def trace(
    module: "torch.nn.Module",
    inputs: tuple[Any, ...],
    formats: Mapping[str, str | Format] | None = None,
    *,
    name: str | None = None,
) -> Model:
    """Model of any ``torch.nn.Module`` called with ``inputs``; see :func:`fuseflow.frontend.trace`."""
    traced = trace_module(module, inputs, formats)
    # What the result is compared with must not change when the user goes on training.
    named = (*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False))
    state = {key: value.detach().clone() for key, value in named}
    arguments = tuple(item.detach().clone() for item in inputs)

    def reference() -> dict[str, NDArray[np.floating]]:
        import torch

        flags = {part: part.training for part in module.modules()}
        module.eval()
        try:
            with torch.no_grad():
                result = torch.func.functional_call(module, state, arguments, tie_weights=False)
        finally:
            for part, training in flags.items():
                part.training = training
        results = result if isinstance(result, tuple | list) else (result,)
        arrays = [item.to_dense().numpy() if item.layout is not torch.strided else item.numpy() for item in results]
        return dict(zip(traced.program.outputs, arrays, strict=True))

    return Model(name or type(module).__name__, traced.program, traced.tensors, reference)


def from_text(text: str, /, **data: Any) -> Model:
    """Model of a program in text form, with one array, tensor, sparse matrix or fiber tree per input.

    ``data`` may be numpy arrays or lists, torch tensors of any layout, scipy sparse matrices, and fiber trees. An input
    without a declaration in ``text`` is stored as it is given, an array dense. Raises ProgramError for a program that
    is not well formed or data that are missing, DataError for data that are no real numbers.
    """
    trees = {label: tree_of(label, item) for label, item in data.items()}
    undeclared = {label: (tree.shape, tree.format) for label, tree in trees.items() if not _declares(text, label)}
    program = parse(text, undeclared)
    tensors: dict[str, FiberTree] = {}
    for tensor in program.inputs:
        if tensor.name not in trees:
            raise ProgramError(f"no data for input {tensor.name!r}; pass {tensor.name}=...")
        tree = trees[tensor.name]
        if tree.shape != tensor.shape:
            raise ProgramError(f"input {tensor.name!r} has shape {tree.shape}, the program declares {tensor.shape}")
        tensors[tensor.name] = tree.convert(tensor.format)
    unused = [label for label in data if label not in {tensor.name for tensor in program.inputs}]
    if unused:
        raise ProgramError(f"data for {unused[0]!r}, which the program does not read")

    def reference() -> dict[str, NDArray[np.floating]]:
        results = interpret(program, tensors)
        return {output: results[output] for output in program.outputs}

    return Model("einsum", program, tensors, reference, "the dense interpreter in float64")


def tree_of(label: str, item: Any) -> FiberTree:
    """``item`` as a fiber tree: sparse as it is stored, anything else dense."""
    if isinstance(item, FiberTree):
        return item
    try:
        if hasattr(item, "tocoo"):
            return _scannable(FiberTree.from_scipy(item))
        if hasattr(item, "layout") and hasattr(item, "detach"):
            return _scannable(FiberTree.from_torch(item.detach()))
        values = np.asarray(item)
        if values.dtype.kind not in "biuf":
            raise DataError(f"it holds {values.dtype} values; give real numbers")
        return FiberTree.from_dense(values.astype(np.float32), Format.dense(values.ndim))
    except (FuseflowError, ValueError, TypeError) as error:
        raise DataError(f"data for {label!r} cannot be used: {error}") from error


def _scannable(tree: FiberTree) -> FiberTree:
    """A COO tree with compressed levels instead: graphs cannot scan coordinate lists."""
    coo = any(level.kind is LevelKind.SINGLETON for level in tree.format.levels)
    return tree.convert("c" * tree.order) if coo else tree


def _declares(text: str, name: str) -> bool:
    starts = (line.split(":", 1)[0].strip() for line in text.splitlines() if ":" in line)
    return any(start == name or start.startswith(f"{name}[") for start in starts)
