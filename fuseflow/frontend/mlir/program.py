"""From MLIR text to a verified program, with the data that the text itself holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Program, Tensor, masked_tensors, verify
from fuseflow.einsum.masks import default_format
from fuseflow.errors import ProgramError
from fuseflow.formats import Format, LevelKind
from fuseflow.frontend.mlir.builder import Builder
from fuseflow.frontend.mlir.cursor import Cursor
from fuseflow.frontend.mlir.reader import Reader


@dataclass(frozen=True, slots=True)
class MlirProgram:
    """The program, and the data of those inputs that are constants in the text."""

    program: Program
    data: Mapping[str, NDArray[np.float32]]


def read_mlir(
    text: str, *, function: str | None = None, masks: Iterable[str] = (), where: str = "the MLIR text"
) -> MlirProgram:
    """The program of a function in MLIR ``text`` (the first one, unless ``function`` names another).

    Arguments are called as in the text (``arg0``), results by their values (``%3`` is ``v3``). A tensor is stored as
    its encoding says, without one dense. A product with a tensor in ``masks`` is a mask: what the tensor does not store
    takes no part in a softmax. Raises ProgramError with line and column for what cannot be read.
    """
    names = frozenset(masks)
    builder = Builder(names)
    reader = Reader(Cursor(text, where), builder)
    outputs = reader.module(function)
    unknown = names - set(builder.leaves)
    if unknown:
        known = ", ".join(builder.leaves)
        raise ProgramError(f"{where}: there is no tensor {sorted(unknown)[0]!r} to mask with; tensors are {known}")
    statements = builder.live(outputs)
    used = {access.tensor for statement in statements for access in statement.operands}
    inputs = [
        Tensor(name, leaf.shape, leaf.format or Format.dense(len(leaf.shape)))
        for name, leaf in builder.leaves.items()
        if name in used
    ]
    drafts = [
        Tensor(item.name, builder.shapes[item.name], Format.dense(len(builder.shapes[item.name])))
        for item in statements
    ]
    draft = Program((*inputs, *drafts), statements, outputs)
    masked = masked_tensors(draft)
    chosen = [
        Tensor(item.name, item.shape, _format(item, reader.formats.get(item.name), masked.get(item.name, frozenset())))
        for item in drafts
    ]
    program = Program((*inputs, *chosen), statements, outputs)
    verify(program)
    data = {name: leaf.data for name, leaf in builder.leaves.items() if leaf.data is not None and name in used}
    return MlirProgram(program, data)


def _format(tensor: Tensor, said: Format | None, masked: frozenset[int]) -> Format:
    """The format that the text says; where elements are masked out, one that can leave them out."""
    if said is None or said.order != tensor.order:
        return default_format(tensor.order, bool(masked))
    dense = {mode for mode, level in zip(said.mode_order, said.levels, strict=True) if level.kind is LevelKind.DENSE}
    return default_format(tensor.order, True) if masked & dense else said
