"""Fiber trees: a tensor stored level by level, and its ways in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fuseflow.errors import FormatError
from fuseflow.formats import convert
from fuseflow.formats.build import Integers, Values, build_levels, check_finite, expand_levels, sort_elements
from fuseflow.formats.check import check_shape, check_tree
from fuseflow.formats.format import Format, as_format
from fuseflow.formats.level import CompressedLevel, DenseLevel, Fill, LevelKind, LevelStorage, SingletonLevel
from fuseflow.formats.relevel import relevel
from fuseflow.formats.show import show_tree

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False, repr=False, slots=True, weakref_slot=True)
class FiberTree:
    """A tensor of any order in any format.

    ``shape`` is by dimension, ``levels`` outermost first, ``values`` (float32) one per position of the last level: a
    number, or in a blocked tensor a tile (:mod:`fuseflow.formats.tiles`; ``shape`` then counts blocks). A tree of
    order 0 has no levels and one value. The storage is checked when the tree is made (FormatError); values may be
    anything, while the ``from_*`` readers refuse NaN and infinities (DataError) unless ``allow_nonfinite``. Arrays are
    not copied where their type fits: do not write to them afterwards.
    """

    shape: tuple[int, ...]
    format: Format
    levels: tuple[LevelStorage, ...]
    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", check_shape(self.shape, self.format.order, f'format "{self.format}"'))
        values = convert.float32_values(np.asarray(self.values), "tree")
        # An array that repeats one number is kept: it stands for values that nobody computed, and takes no memory.
        contiguous = values if not any(values.strides) else np.ascontiguousarray(values)
        object.__setattr__(self, "values", contiguous)
        check_tree(self.shape, self.format, self.levels, self.values)

    @property
    def order(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def tile_shape(self) -> tuple[int, ...]:
        """Shape of every value; ``()`` where values are numbers."""
        return self.values.shape[1:]

    @property
    def stored(self) -> int:
        """Number of stored values, zeros at dense levels included; in a blocked tensor, of stored tiles."""
        return len(self.values)

    def fill(self, level: int) -> Fill:
        """What holds for every fiber of storage level ``level`` in these data."""
        if not 0 <= level < self.order:
            raise FormatError(f"level must be 0 to {self.order - 1} for a tree of order {self.order}, not {level}")
        size = self.shape[self.format.mode_order[level]]
        match self.levels[level]:
            case DenseLevel():
                return Fill.FULL if size else Fill.UNKNOWN
            case CompressedLevel(segments, _):
                shortest = int(np.diff(segments).min(initial=size))
                # Where coordinates repeat, a long fiber need not be a full one.
                if shortest == size and size and self.format.levels[level].unique:
                    return Fill.FULL
                return Fill.NONEMPTY if shortest else Fill.UNKNOWN
            case SingletonLevel():
                return Fill.FULL if size == 1 else Fill.NONEMPTY if size else Fill.UNKNOWN

    @classmethod
    def from_dense(
        cls, array: ArrayLike, format: Format | str | None = None, *, name: str = "array", allow_nonfinite: bool = False
    ) -> Self:
        """Store an array of any order; only nonzeros at compressed levels. Default format: dense."""
        given = np.asarray(array)
        chosen = as_format(format, given.ndim, "dense")
        shape = check_shape(given.shape, chosen.order, f'format "{chosen}"')
        converted = convert.float32_values(given, name)
        if not allow_nonfinite and not np.isfinite(converted).all():
            bad = tuple(np.argwhere(~np.isfinite(converted)).T)
            check_finite(converted[bad], bad, name)
        by_level = np.ascontiguousarray(converted.transpose(chosen.mode_order))
        if chosen.is_dense:
            levels = tuple(DenseLevel(shape[mode]) for mode in chosen.mode_order)
            flat = by_level.reshape(-1)
            return cls(shape, chosen, levels, flat.copy() if np.shares_memory(flat, given) else flat)
        columns = np.nonzero(by_level)
        return cls._from_sorted(list(columns), by_level[columns], shape, chosen, name)

    @classmethod
    def from_coordinates(
        cls,
        coordinates: ArrayLike,
        values: ArrayLike,
        shape: Sequence[int],
        format: Format | str | None = None,
        *,
        sum_duplicates: bool = False,
        name: str = "tensor",
        allow_nonfinite: bool = False,
    ) -> Self:
        """Store elements given by ``coordinates`` of shape (order, count), by dimension, in any order.

        Explicit zeros are kept as stored. Repeated coordinates are refused (FormatError) unless ``sum_duplicates``.
        Default format: COO.
        """
        chosen = as_format(format, len(shape), "coo")
        sizes = check_shape(shape, chosen.order, f'format "{chosen}"')
        elements = convert.float32_values(np.asarray(values), name)
        given = np.asarray(coordinates)
        if not elements.ndim or given.shape != (len(sizes), len(elements)):
            raise FormatError(
                f"{name} has coordinates of shape {given.shape} and values of shape {elements.shape}: "
                f"they must be ({len(sizes)}, n) and (n, *tile) for shape {sizes}"
            )
        if given.size and given.dtype.kind not in "iu":
            raise FormatError(f"{name} has coordinates of type {given.dtype}: they must be integers")
        for dimension, column in enumerate(given):
            outside = (column < 0) | (column >= sizes[dimension])
            if outside.any():
                at = int(np.argmax(outside))
                raise FormatError(
                    f"{name} has coordinates {tuple(int(c) for c in given[:, at])} (element {at}), outside its shape "
                    f"{sizes}: dimension {dimension} takes 0 to {sizes[dimension] - 1}"
                )
        if not allow_nonfinite:
            check_finite(elements, tuple(given), name)
        by_level = [given[mode].astype(np.int64, copy=False) for mode in chosen.mode_order]
        level_sizes = [sizes[mode] for mode in chosen.mode_order]
        columns, elements = sort_elements(by_level, elements, level_sizes, sum_duplicates=sum_duplicates, name=name)
        return cls._from_sorted(columns, elements, sizes, chosen, name)

    @classmethod
    def _from_sorted(
        cls, columns: list[Integers], elements: Values, shape: tuple[int, ...], format: Format, name: str
    ) -> Self:
        """Store distinct elements whose coordinates, by level, are sorted."""
        level_sizes = [shape[mode] for mode in format.mode_order]
        levels, position, count = build_levels(columns, len(elements), level_sizes, format, name)
        values = elements
        if position is not None:
            values = np.zeros((count, *elements.shape[1:]), np.float32)
            values[position] = elements
        return cls(shape, format, levels, values)

    @classmethod
    def from_scipy(
        cls,
        matrix: Any,
        format: Format | str | None = None,
        *,
        sum_duplicates: bool = False,
        name: str = "matrix",
        allow_nonfinite: bool = False,
    ) -> Self:
        """Store a scipy.sparse matrix or array. Default format: its own (CSR, CSC, COO), otherwise CSR."""
        elements = convert.scipy_elements(matrix, name)
        return cls._from_elements(elements, format, sum_duplicates, name, allow_nonfinite)

    @classmethod
    def from_torch(
        cls,
        tensor: "torch.Tensor",
        format: Format | str | None = None,
        *,
        sum_duplicates: bool = False,
        name: str = "tensor",
        allow_nonfinite: bool = False,
    ) -> Self:
        """Store a strided, COO, CSR or CSC tensor. Default format: its own layout."""
        elements = convert.torch_elements(tensor, name)
        if isinstance(elements, np.ndarray):
            return cls.from_dense(elements, format, name=name, allow_nonfinite=allow_nonfinite)
        return cls._from_elements(elements, format, sum_duplicates, name, allow_nonfinite)

    @classmethod
    def _from_elements(
        cls,
        elements: convert.Elements,
        format: Format | str | None,
        sum_duplicates: bool,
        name: str,
        allow_nonfinite: bool,
    ) -> Self:
        return cls.from_coordinates(
            elements.coordinates,
            elements.values,
            elements.shape,
            elements.format if format is None else format,
            sum_duplicates=sum_duplicates,
            name=name,
            allow_nonfinite=allow_nonfinite,
        )

    def elements(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Coordinates (order, count) by dimension and values, in storage order.

        All stored values; but where the last level is dense, only nonzeros, since its zeros are padding.
        """
        padded = not self.levels or self.format.levels[-1].kind is LevelKind.DENSE
        used = self.values if not self.tile_shape else self.values.any(axis=tuple(range(1, self.values.ndim)))
        positions = np.flatnonzero(used) if padded else np.arange(self.stored)
        coordinates = np.zeros((self.order, len(positions)), np.int64)
        for mode, column in zip(self.format.mode_order, expand_levels(self.levels, positions), strict=True):
            coordinates[mode] = column
        return coordinates, self.values[positions] if padded else self.values

    def convert(self, format: Format | str) -> Self:
        """The same tensor in another format; see ``elements`` for what counts as stored."""
        chosen = as_format(format, self.order, "dense")
        if chosen == self.format:
            return self
        if chosen.mode_order == self.format.mode_order:
            found = relevel(self.levels, self.values, [self.shape[mode] for mode in chosen.mode_order], chosen)
            if found is not None:
                return type(self)(self.shape, chosen, *found)
        return self.from_coordinates(*self.elements(), self.shape, chosen, allow_nonfinite=True)

    def to_dense(self) -> NDArray[np.float32]:
        """A new float32 array of ``shape``; FormatError for a blocked tensor."""
        if self.tile_shape:
            raise FormatError(
                f"a tensor of {self.tile_shape} tiles has no array of its own shape {self.shape}; use tiles_to_dense, "
                "which knows which dimensions are blocked"
            )
        if self.format.is_dense:
            by_level = self.values.reshape([self.shape[mode] for mode in self.format.mode_order])
            back = np.argsort(np.array(self.format.mode_order, np.int64))
            return by_level.transpose([int(mode) for mode in back]).copy(order="C")
        array = np.zeros(self.shape, np.float32)
        coordinates, values = self.elements()
        array[tuple(coordinates)] = values
        return array

    def stored_mask(self) -> NDArray[np.bool_]:
        """Which elements are stored, by dimension: explicit zeros and the padding of dense levels included."""
        mask = np.zeros(self.shape, dtype=np.bool_)
        places = [np.empty(0, np.int64)] * self.order
        for mode, column in zip(
            self.format.mode_order, expand_levels(self.levels, np.arange(self.stored)), strict=True
        ):
            places[mode] = column
        mask[tuple(places)] = True
        return mask

    def to_scipy(self) -> Any:
        """csr_array or csc_array for those formats, coo_array otherwise; FormatError at order 0."""
        return convert.to_scipy(*self.elements(), self.shape, self.format)

    def to_torch(self, layout: "torch.layout | None" = None) -> "torch.Tensor":
        """A float32 tensor. Default layout: strided for dense levels only, CSR or CSC for those formats, else COO."""
        import torch

        if layout is None:
            named = {convert.CSR: torch.sparse_csr, convert.CSC: torch.sparse_csc}
            layout = torch.strided if self.format.is_dense else named.get(self.format, torch.sparse_coo)
        if layout == torch.strided:
            return torch.from_numpy(self.to_dense())
        coordinates, values = self.elements()
        return convert.sparse_to_torch(coordinates, values.copy(), self.shape, layout, "tree")

    def __repr__(self) -> str:
        return show_tree(self)
