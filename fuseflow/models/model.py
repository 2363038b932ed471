"""A model: a program, the data of its inputs, and the eager result to compare with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Program, interpret, parse
from fuseflow.errors import ProgramError
from fuseflow.formats import FiberTree, Format
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

    def reference() -> dict[str, NDArray[np.floating]]:
        import torch

        was_training = module.training
        module.eval()
        with torch.no_grad():
            result = module(*inputs)
        module.train(was_training)
        results = result if isinstance(result, tuple | list) else (result,)
        arrays = [item.to_dense().numpy() if item.layout is not torch.strided else item.numpy() for item in results]
        return dict(zip(traced.program.outputs, arrays, strict=True))

    return Model(name or type(module).__name__, traced.program, traced.tensors, reference)


def from_text(text: str, name: str = "einsum", **data: Any) -> Model:
    """Model of a program in text form, with one array, sparse matrix or fiber tree per input.

    An input without a declaration in ``text`` is stored dense if it is an array, and as a scipy matrix or fiber tree
    is given otherwise. Raises ProgramError for a program that is not well formed or data that are missing.
    """
    given = {label: item for label, item in data.items() if isinstance(item, FiberTree) or hasattr(item, "tocoo")}
    trees = {
        label: item if isinstance(item, FiberTree) else FiberTree.from_scipy(item) for label, item in given.items()
    }
    arrays = {label: np.asarray(item, dtype=np.float32) for label, item in data.items() if label not in trees}
    stored: dict[str, tuple[tuple[int, ...], Format]] = {
        **{label: (tree.shape, tree.format) for label, tree in trees.items()},
        **{label: (array.shape, Format.dense(array.ndim)) for label, array in arrays.items()},
    }
    undeclared = {label: item for label, item in stored.items() if not _declares(text, label)}
    program = parse(text, undeclared)
    tensors: dict[str, FiberTree] = {}
    for tensor in program.inputs:
        if tensor.name not in data:
            raise ProgramError(f"no data for input {tensor.name!r}; pass {tensor.name}=...")
        if stored[tensor.name][0] != tensor.shape:
            raise ProgramError(
                f"input {tensor.name!r} has shape {stored[tensor.name][0]}, the program declares {tensor.shape}"
            )
        tensors[tensor.name] = (
            FiberTree.from_dense(arrays[tensor.name], tensor.format)
            if tensor.name in arrays
            else trees[tensor.name].convert(tensor.format)
        )
    unused = [label for label in data if label not in {tensor.name for tensor in program.inputs}]
    if unused:
        raise ProgramError(f"data for {unused[0]!r}, which the program does not read")

    def reference() -> dict[str, NDArray[np.floating]]:
        results = interpret(program, tensors)
        return {output: results[output] for output in program.outputs}

    return Model(name, program, tensors, reference, "the dense interpreter in float64")


def _declares(text: str, name: str) -> bool:
    starts = (line.split(":", 1)[0].strip() for line in text.splitlines() if ":" in line)
    return any(start == name or start.startswith(f"{name}[") for start in starts)
