"""Permuted copies: a tensor stored again in another mode order, by a dataflow graph (paper §5, cycles of the POG).

Moving a level to the innermost place is a product with the identity: ``T[j,i2] = A[i,j] * I[i,i2]`` in the order
``i j i2`` reads ``A`` as it is stored and accumulates the result by ``j`` and ``i2``. So a copy is an einsum like any
other, and its cycles and bytes are those of its graph. Where stored elements say more than their values (a mask), the
copy stores exactly the same ones.
"""

from dataclasses import dataclass

import numpy as np

from fuseflow.einsum import Access, Product, Program, Statement, Tensor
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format, Level, LevelKind
from fuseflow.schedule import Region


@dataclass(frozen=True, slots=True)
class Copy:
    """``source`` stored again as ``target``: same shape, another mode order."""

    source: Tensor
    target: Tensor

    @property
    def identities(self) -> tuple[Tensor, ...]:
        """The identity matrices that the copy reads."""
        return tuple(dict.fromkeys(_identity_of(self.source, mode) for mode in _moves(self)))


def permuted(tensor: Tensor, mode_order: tuple[int, ...], exact: bool) -> Copy:
    """Copy of ``tensor`` in ``mode_order``, level kinds kept from the outside in.

    With ``exact`` every level is compressed, so that the copy stores what the tensor stores and nothing more.
    """
    levels = Format.parse("c" * tensor.order, tensor.order).levels if exact else tensor.format.levels
    layout = Format(levels, mode_order)
    return Copy(tensor, Tensor(_name(tensor, layout), tensor.shape, layout, tensor.tile))


def restored(tensor: Tensor, mode_order: tuple[int, ...]) -> Copy:
    """Copy of a result that came out in ``mode_order`` to the storage order that its declaration asks for."""
    raw = Format(Format.parse("c" * tensor.order, tensor.order).levels, mode_order)
    return Copy(Tensor(_name(tensor, raw), tensor.shape, raw, tensor.tile), tensor)


def _name(tensor: Tensor, layout: Format) -> str:
    letters = "".join(level.kind.value for level in layout.levels)
    return f"{tensor.name}_{letters}_{'_'.join(map(str, layout.mode_order))}"


def identity(size: int, block: int = 0) -> Tensor:
    """Declaration of the identity matrix of ``size``; of ``size`` blocks of ``block``, 0 in a program without."""
    layout = Format((Level(LevelKind.DENSE), Level(LevelKind.COMPRESSED)), (0, 1))
    name = f"identity_{size}" if block < 2 else f"identity_{size}_of_{block}"
    return Tensor(name, (size, size), layout, (block, block) if block else ())


def _identity_of(source: Tensor, mode: int) -> Tensor:
    return identity(source.shape[mode], source.tile[mode] if source.tile else 0)


def identity_tree(declared: Tensor) -> FiberTree:
    """The data of an :func:`identity`: one stored element, or tile, per row."""
    size, block = declared.shape[0], max(declared.tile, default=1)
    level = CompressedLevel(np.arange(size + 1, dtype=np.int64), np.arange(size, dtype=np.int32))
    one = np.eye(block, dtype=np.float32) if block > 1 else np.float32(1)
    values = np.broadcast_to(one, (size, *one.shape)).copy()
    return FiberTree((size, size), declared.format, (DenseLevel(size), level), values)


def copy_program(copy: Copy) -> tuple[Program, Region]:
    """The copy as a program of one region, with the dataflow order that makes it."""
    source, target = copy.source, copy.target
    names = {mode: f"i{mode}" for mode in range(source.order)}
    path = [names[mode] for mode in source.format.mode_order]
    order = list(path)
    current, statements, tensors = source, [], [source, *copy.identities]
    moves = _moves(copy)
    for number, mode in enumerate(moves):
        old, new = names[mode], f"{names[mode]}_"
        indices = tuple(names[place] for place in range(source.order))
        names[mode] = new
        last = number == len(moves) - 1
        output = Access(target.name if last else f"{target.name}_{number}", tuple(names.values()))
        path = [*(name for name in path if name != old), new]
        order.append(new)
        statements.append(
            Statement(
                output, Product(Access(current.name, indices), Access(_identity_of(source, mode).name, (old, new)))
            )
        )
        places = {name: place for place, name in names.items()}
        levels = Format.parse("c" * source.order, source.order).levels
        layout = target.format if last else Format(levels, tuple(places[name] for name in path))
        current = Tensor(output.tensor, source.shape, layout, source.tile)
        tensors.append(current)
    program = Program(tuple(tensors), tuple(statements), (target.name,))
    region = Region(f"copy_{source.name}_to_{target.name}", tuple(item.name for item in statements), tuple(order))
    return program, region


def _moves(copy: Copy) -> tuple[int, ...]:
    """Modes to move to the innermost level, one after the other."""
    have, wanted = copy.source.format.mode_order, copy.target.format.mode_order
    kept = 0
    for mode in have:
        if kept < len(wanted) and mode == wanted[kept]:
            kept += 1
    return wanted[kept:]
