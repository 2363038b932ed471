"""Models from MLIR text, with the data given, those in the text, or random ones."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import interpret
from fuseflow.errors import DataError, ProgramError
from fuseflow.formats import FiberTree, LevelKind
from fuseflow.formats.atomic import existing
from fuseflow.frontend.mlir import read_mlir
from fuseflow.models.model import Model, tree_of

MOST_BYTES = 1 << 30
MOST_RANDOM = 1 << 28
"""More random values than this are not made; give data instead."""


def from_mlir(
    source: str | Path,
    tensors: Mapping[str, Any] | None = None,
    *,
    function: str | None = None,
    masks: Iterable[str] = (),
    sparsity: float = 0.5,
    seed: int = 0,
) -> Model:
    """Model of a function in MLIR: ``source`` is its text, or the path of a file.

    ``tensors`` gives data by name (``arg0``; a constant by the name of its value or resource), as :func:`from_text`
    takes them. What is neither given nor in the text is random, from ``seed``: a fraction ``sparsity`` of a compressed
    tensor is zero, dense tensors have no zeros, masks hold ones. See :func:`fuseflow.frontend.mlir.read_mlir`.
    """
    if not 0.0 <= sparsity <= 1.0:
        raise ProgramError(f"sparsity is the fraction of zeros, from 0 to 1, not {sparsity}")
    text, where = _text(source)
    masked = tuple(masks)
    found = read_mlir(text, function=function, masks=masked, where=where)
    given = dict(tensors or {})
    names = {tensor.name for tensor in found.program.inputs}
    unused = [name for name in given if name not in names]
    if unused:
        raise ProgramError(
            f"data for {unused[0]!r}, which the program does not read; it reads {', '.join(sorted(names))}"
        )
    rng = np.random.default_rng(seed)
    trees: dict[str, FiberTree] = {}
    made = []
    for tensor in found.program.inputs:
        if tensor.name in given:
            tree = tree_of(tensor.name, given[tensor.name])
            if tree.shape != tensor.shape:
                raise ProgramError(f"input {tensor.name!r} has shape {tree.shape}, the program declares {tensor.shape}")
            trees[tensor.name] = tree.convert(tensor.format)
            continue
        values = found.data.get(tensor.name)
        if values is None:
            compressed = any(level.kind is not LevelKind.DENSE for level in tensor.format.levels)
            values = _random(rng, tensor.name, tensor.shape, sparsity if compressed else 0.0)
            values = (values != 0).astype(np.float32) if tensor.name in masked else values
            made.append(tensor.name)
        trees[tensor.name] = FiberTree.from_dense(values, tensor.format)

    def reference() -> dict[str, NDArray[np.floating]]:
        results = interpret(found.program, trees)
        return {output: results[output] for output in found.program.outputs}

    notes = {"random data": f"{', '.join(made)} (seed {seed}, sparsity {sparsity:g})"} if made else {}
    name = Path(where).stem if text is not source else "mlir"
    return Model(name, found.program, trees, reference, "the dense interpreter in float64", notes=notes)


def _text(source: str | Path) -> tuple[str, str]:
    """The text and what to call it: a string with more than one line, or an operation, is the text itself."""
    if isinstance(source, str) and ("\n" in source or "func.func" in source):
        return source, "the MLIR text"
    file = existing(source, "MLIR")
    if file.stat().st_size > MOST_BYTES:
        raise DataError(f"{source} has {file.stat().st_size} bytes; at most {MOST_BYTES} are read")
    try:
        return file.read_text(encoding="utf-8"), str(source)
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"cannot read {source}: {fault}") from None


def _random(rng: np.random.Generator, name: str, shape: tuple[int, ...], sparsity: float) -> NDArray[np.float32]:
    count = int(np.prod(shape, dtype=np.float64))
    if count > MOST_RANDOM:
        raise DataError(
            f"tensor {name!r} of shape {shape} has {count} elements; give data for it, as tensors={{{name!r}: ...}}"
        )
    values: NDArray[np.float64] = rng.uniform(0.1, 1.0, shape) * rng.choice([-1.0, 1.0], shape)
    values *= rng.random(shape) >= sparsity
    return np.asarray(values, np.float32)
