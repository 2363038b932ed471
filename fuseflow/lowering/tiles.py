"""Which axes the tiles of every stream have, where a region is blocked (paper §7).

An index variable of a blocked region iterates blocks; the tiles have the elements within. A product sums within its
tiles at once what a reduction sums over blocks, so its tiles have the axes of its result alone.
"""

from dataclasses import dataclass

from fuseflow.dataflow.blocks import Tile
from fuseflow.einsum import Mask, Reduction
from fuseflow.fusion import FusedRegion, Leaf
from fuseflow.lowering.columns import Column, Source


@dataclass(frozen=True, slots=True)
class Tiles:
    """``sizes`` of the blocks by index variable; empty in a program without blocks."""

    sizes: dict[str, int]

    @classmethod
    def of(cls, region: FusedRegion) -> "Tiles":
        """The block sizes of ``region``, as the tensors that it reads are blocked."""
        if not region.program.blocked:
            return cls({})
        sizes: dict[str, int] = {}
        for leaf in region.leaves:
            sizes.update(zip(leaf.variables, leaf.tensor.tile, strict=True))
        return cls(sizes)

    def over(self, variables: tuple[str, ...]) -> Tile:
        """The tile with an axis for every blocked one of ``variables``, in their order."""
        axes = tuple(name for name in variables if self.sizes.get(name, 1) > 1)
        return Tile(axes, tuple(self.sizes[name] for name in axes))

    def listed(self, *tiles: Tile) -> tuple[Tile, ...]:
        """``tiles`` as a block declares them: none in a program without blocks."""
        return tiles if self.sizes else ()

    def of_leaf(self, leaf: Leaf) -> Tile:
        """The tile of a stored tensor: its dimensions in their order."""
        return self.over(leaf.variables)

    def result(self, source: Source) -> Tile:
        """The tile of the values that ``source`` sends."""
        if isinstance(source, Leaf):
            return self.of_leaf(source)
        if isinstance(source.view.statement.expression, Mask) and not source.view.reduced:
            tile = self.result(source.operands[0])
            return tile if set(tile.axes) == set(self.over(source.variables).axes) else self.over(source.variables)
        return self.over(source.variables)

    def raw(self, column: Column) -> Tile:
        """The tile of ``column``'s values before they are folded over blocks."""
        if isinstance(column.view.statement.expression, Reduction):
            return self.result(column.operands[0])
        return self.result(column)

    def step(self, column: Column) -> tuple[Tile, ...]:
        """Tiles of the operands of ``column`` and of what its operator makes of them."""
        operands = column.operands[:1] if isinstance(column.view.statement.expression, Mask) else column.operands
        return self.listed(*(self.result(item) for item in operands), self.raw(column))
