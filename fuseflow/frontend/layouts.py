"""Operations that move stored elements: reshape, concatenation, slices, gathers.

Where an index map will do they cost nothing and fuse; elsewhere they are layout statements, barriers between regions.
"""

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from fuseflow.frontend.arguments import argument, dimension
from fuseflow.frontend.constants import known
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx


def reshape(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``view``, ``reshape``, ``flatten``...: to the shape that the exported graph says."""
    return to_shape(translator, node.name, translator.value(node.args[0]), translator.shape(node))


def to_shape(translator: Translator, name: str, value: Value, shape: tuple[int, ...]) -> Value:
    """``value`` in another shape: an index map where only dimensions of size 1 come and go."""
    if shape == value.shape:
        return value
    if [size for size in value.shape if size != 1] == [size for size in shape if size != 1]:
        return _sizes_of_one(translator, value, shape)
    made = translator.reshaped(name, value, _stored_shape(value, shape))
    return _sizes_of_one(translator, made, shape)


def _stored_shape(value: Value, shape: tuple[int, ...]) -> list[int]:
    """``shape`` with as many dimensions of size 1 as ``value`` has stored, so that a batch of 1 stays a dimension."""
    ones = sum(value.shape[dimension] == 1 for dimension in value.real)
    kept = []
    for size in shape:
        if size != 1 or ones:
            kept.append(size)
        ones -= size == 1
    return kept


def _sizes_of_one(translator: Translator, value: Value, shape: tuple[int, ...]) -> Value:
    """``value`` with dimensions of size 1 added and dropped; stored ones are kept as long as there is room."""
    wanted = list(shape)
    place = 0
    while place < max(len(wanted), len(value.shape)):
        mine = value.shape[place] if place < len(value.shape) else None
        target = wanted[place] if place < len(wanted) else None
        if mine == target:
            place += 1
        elif mine == 1:
            value = translator.dropped(value, place)
        else:
            value = value.widened(place)
    return value


def concatenate(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``cat(tensors, dim)``; empty ones of order 1 are left out, as in PyTorch."""
    tensors = argument(node, 0, "tensors")
    values = [translator.value(item) for item in tensors if tensors] if isinstance(tensors, list | tuple) else []
    parts = [value for value in values if value.shape != (0,)]
    if not parts:
        raise translator.fault("there is nothing to concatenate")
    place = dimension(translator, argument(node, 1, "dim", 0), len(parts[0].shape))
    return parts[0] if len(parts) == 1 else translator.concatenated(node.name, parts, place)


def stack(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``stack(tensors, dim)``."""
    tensors = argument(node, 0, "tensors")
    values = [translator.value(item) for item in tensors] if isinstance(tensors, list | tuple) else []
    place = dimension(translator, argument(node, 1, "dim", 0), len(values[0].shape) + 1)
    return translator.concatenated(node.name, [value.widened(place) for value in values], place)


def slice_(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x[start:stop:step]`` along one dimension."""
    value = translator.value(node.args[0])
    place = dimension(translator, argument(node, 1, "dim", 0), len(value.shape))
    start, stop, step = (argument(node, number, name, None) for number, name in ((2, "start"), (3, "end"), (4, "step")))
    bounds = []
    for item in (start, stop, step):
        if item is not None and not isinstance(item, int):
            raise translator.fault(f"slices by {item!r}, which is not a constant; bounds must be fixed")
        bounds.append(item)
    positions = range(value.shape[place])[slice(*bounds)]
    return translator.gathered(node.name, value, place, tuple(positions))


def narrow(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``narrow(x, dim, start, length)``."""
    value = translator.value(node.args[0])
    place = dimension(translator, node.args[1], len(value.shape))
    start, length = (int(str(item)) for item in node.args[2:4])
    return translator.gathered(node.name, value, place, tuple(range(start, start + length)))


def select(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x[position]`` along one dimension."""
    value = translator.value(node.args[0])
    place = dimension(translator, node.args[1], len(value.shape))
    position = dimension(translator, node.args[2], value.shape[place])
    return translator.selected(node.name, value, place, position)


def split(translator: Translator, node: "fx.Node", group: str) -> list[Value]:
    """``split(x, size)``, ``split(x, sizes)``, ``chunk(x, count)``: pieces along one dimension."""
    value = translator.value(node.args[0])
    place = dimension(translator, argument(node, 2, "dim", 0), len(value.shape))
    found, first = [], 0
    for number, size in enumerate(item.shape[place] for item in node.meta["val"]):
        name = f"{node.name}_{number}"
        found.append(translator.gathered(name, value, place, tuple(range(first, first + int(size)))))
        first += int(size)
    return found


def unbind(translator: Translator, node: "fx.Node", group: str) -> list[Value]:
    """``unbind(x, dim)``: every position along one dimension."""
    value = translator.value(node.args[0])
    place = dimension(translator, argument(node, 1, "dim", 0), len(value.shape))
    return [translator.selected(f"{node.name}_{number}", value, place, number) for number in range(value.shape[place])]


def flip(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``flip(x, dims)``."""
    value = translator.value(node.args[0])
    dims = node.args[1]
    for item in dims if isinstance(dims, list | tuple) else [dims]:
        place = dimension(translator, item, len(value.shape))
        value = translator.gathered(node.name, value, place, tuple(reversed(range(value.shape[place]))))
    return value


def repeat(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``repeat(x, counts)``: copies along dimensions, new ones first."""
    value = translator.value(node.args[0])
    counts = node.args[1]
    factors = [int(str(item)) for item in counts] if isinstance(counts, list | tuple) else []
    while len(value.shape) < len(factors):
        value = value.widened(0)
    for place, factor in enumerate(factors):
        if value.shape[place] == 1 and value.axes[place] is None:
            value = value.resized(place, factor)
        else:
            value = translator.gathered(node.name, value, place, tuple(range(value.shape[place])) * factor)
    return value


def repeat_interleave(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``repeat_interleave(x, count, dim)``: every position ``count`` times."""
    value = translator.value(node.args[0])
    count, given = node.args[1], argument(node, 2, "dim", None)
    if not isinstance(count, int):
        raise translator.fault("repeats by a tensor; give one count for all positions")
    if given is None:
        value = to_shape(translator, f"{node.name}_flat", value, (prod(value.shape),))
    place = dimension(translator, given if given is not None else 0, len(value.shape))
    positions = tuple(position for position in range(value.shape[place]) for _ in range(count))
    return translator.gathered(node.name, value, place, positions)


def index(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x[i]``, ``x[:, i, j]``...: constant positions along neighbouring dimensions."""
    value = translator.value(node.args[0])
    given = node.args[1]
    tensors: dict[int, torch.Tensor] = {}
    place = 0
    for item in given if isinstance(given, list | tuple) else [given]:
        if item is None:
            place += 1
            continue
        positions = known(translator, item)
        if positions is None:
            raise translator.fault("gathers at positions that are computed; they must be constants or an input")
        found = (
            positions.nonzero(as_tuple=True)
            if positions.dtype.is_floating_point is False and (str(positions.dtype) == "torch.bool")
            else (positions,)
        )
        for each in found:
            tensors[place] = each.long()
            place += 1
    return _gather(translator, node.name, value, tensors)


def _gather(translator: Translator, name: str, value: Value, tensors: dict[int, "torch.Tensor"]) -> Value:
    import torch

    places = sorted(tensors)
    if places != list(range(places[0], places[0] + len(places))):
        raise translator.fault("gathers along dimensions that are not next to each other; permute the tensor first")
    sizes = [value.shape[place] for place in places]
    shape = torch.broadcast_shapes(*(tensors[place].shape for place in places))  # type: ignore[no-untyped-call]  # torch leaves it untyped
    spread = [tensors[place].expand(shape) for place in places]
    flat = torch.zeros_like(spread[0])
    for size, positions in zip(sizes, spread, strict=True):
        flat = flat * size + torch.where(positions < 0, positions + size, positions)
    first, last = places[0], places[-1] + 1
    joined = to_shape(translator, f"{name}_flat", value, (*value.shape[:first], prod(sizes), *value.shape[last:]))
    taken = translator.gathered(name, joined, first, tuple(int(item) for item in flat.flatten()))
    return to_shape(translator, f"{name}_shape", taken, (*value.shape[:first], *flat.shape, *value.shape[last:]))


HANDLERS: dict[str, Callable[[Translator, "fx.Node", str], Value | list[Value]]] = {
    "view": reshape,
    "reshape": reshape,
    "_unsafe_view": reshape,
    "flatten": reshape,
    "unflatten": reshape,
    "view_as": reshape,
    "reshape_as": reshape,
    "cat": concatenate,
    "stack": stack,
    "slice": slice_,
    "narrow": narrow,
    "select": select,
    "split": split,
    "split_with_sizes": split,
    "chunk": split,
    "unbind": unbind,
    "flip": flip,
    "repeat": repeat,
    "repeat_interleave": repeat_interleave,
    "index": index,
}
