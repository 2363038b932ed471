"""Patterns of tensors that layout statements (reshape, concatenate, slice, gather) make between kernels."""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Program
from fuseflow.einsum.layout import move_tree
from fuseflow.errors import SimulationError
from fuseflow.estimate.patterns import Pattern, ResultPattern, TreePattern, dimension
from fuseflow.estimate.query import Atom, Condition, Counter, Either
from fuseflow.formats import FiberTree

ELEMENTS_MOVED = 100_000_000
"""Largest dense size of a compressed tensor whose pattern is moved."""


def moved_patterns(program: Program, patterns: Mapping[str, Pattern], counter: Counter) -> dict[str, Pattern]:
    """Patterns of what layout statements make, stored compressed, of tensors whose patterns are known.

    What is stored dense needs none. Raises SimulationError for a tensor too large to write its pattern down.
    """
    found: dict[str, Pattern] = {}
    for statement in program.statements:
        made = program.tensor(statement.name)
        if not statement.is_layout or made.format.is_dense or made.name in patterns:
            continue
        parts = [_tree(program, access.tensor, {**patterns, **found}, counter) for access in statement.operands]
        trees = [tree for tree in parts if tree is not None]
        if len(trees) == len(parts):
            found[made.name] = TreePattern(move_tree(statement, trees, made.shape, made.format))
    return found


def _tree(program: Program, name: str, patterns: Mapping[str, Pattern], counter: Counter) -> FiberTree | None:
    """Data with the pattern of tensor ``name``; ``None`` if it is not known yet."""
    tensor = program.tensor(name)
    pattern = patterns.get(name)
    if isinstance(pattern, TreePattern):
        return pattern.tree
    if pattern is None and not tensor.format.is_dense:
        return None
    if prod(tensor.shape) > ELEMENTS_MOVED:
        raise SimulationError(
            f"the pattern of {name!r} of shape {tensor.shape} is too large to be moved through a layout statement; "
            "store what it makes dense, or simulate instead of estimating"
        )
    mask = np.ones(tensor.shape, np.bool_)
    if isinstance(pattern, ResultPattern):
        variables = [dimension(mode, tensor.shape) for mode in pattern.mode_order]
        mask = _mask(pattern.condition(variables, counter), tensor.shape)
    return FiberTree.from_dense(mask.astype(np.float32), tensor.format)


def _mask(condition: Condition, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where ``condition`` on the dimensions of an array of ``shape`` holds."""
    names = {dimension(mode, shape): mode for mode in range(len(shape))}
    mask = np.ones(shape, np.bool_)
    for atom in condition:
        if isinstance(atom, Atom):
            holds = np.zeros(atom.relation.sizes, np.bool_)
            holds[atom.relation.columns] = True
            modes = [names[variable] for variable in atom.variables]
            ordered = holds.transpose(np.argsort(modes))
            mask &= ordered.reshape([shape[mode] if mode in modes else 1 for mode in range(len(shape))])
        elif isinstance(atom, Either):
            mask &= np.logical_or.reduce([_mask(choice, shape) for choice in atom.choices])
    return mask
