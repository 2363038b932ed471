"""Variants of a model: other formats of its stored tensors, other associations of its products, values in tiles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from fuseflow.einsum import Program, in_blocks
from fuseflow.explore.associate import associations
from fuseflow.explore.block_choices import WITHOUT
from fuseflow.explore.space import Space
from fuseflow.formats import FiberTree
from fuseflow.formats.format import as_format
from fuseflow.schedule.blocks import BlockSizes


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A program with its data. ``formats`` says what is stored otherwise, ``products`` how chains are multiplied.

    ``blocks`` are the block sizes of its schedules, 0 where values are numbers; ``cut`` is then what they compute: the
    program over blocks, and the data as tiles.
    """

    program: Program
    tensors: Mapping[str, FiberTree]
    formats: str = ""
    products: str = ""
    blocks: BlockSizes = WITHOUT
    cut: tuple[Program, Mapping[str, FiberTree]] | None = None

    @property
    def computed(self) -> tuple[Program, Mapping[str, FiberTree]]:
        """The program whose regions are lowered, and its data."""
        return self.cut or (self.program, self.tensors)

    def in_blocks(self, blocks: BlockSizes) -> "Variant":
        """This variant under schedules with ``blocks`` (0: without). ScheduleError where they do not fit."""
        if not blocks:
            return self
        sizes = blocks if isinstance(blocks, int) else dict(blocks)
        return replace(self, blocks=blocks, cut=in_blocks(self.program, self.tensors, sizes))


def variants(program: Program, tensors: Mapping[str, FiberTree], space: Space) -> Iterator[Variant]:
    """The program as it is, then every choice of formats and associations that ``space`` allows.

    Raises FormatError for a format that does not fit its tensor.
    """
    names = list(space.formats)
    own = tuple(tensors[name].format for name in names)
    # Two names of one format are one choice.
    layouts = [
        dict.fromkeys(as_format(text, tensors[name].order, "dense") for text in space.formats[name]) for name in names
    ]
    programs, _ = searched_programs(program, space)
    for choice in sorted(product(*layouts), key=lambda item: item != own):
        stored = {name: tensors[name].convert(layout) for name, layout in zip(names, choice, strict=True)}
        changed = {name: tree.format for name, tree in stored.items() if tree.format != tensors[name].format}
        label = ", ".join(f"{name} as {layout}" for name, layout in changed.items())
        for number, base in enumerate(programs):
            chains = "" if number == 0 else _chains(base, program)
            yield Variant(base.stored_as(changed), {**tensors, **stored}, label, chains)


def searched_programs(program: Program, space: Space) -> tuple[list[Program], bool]:
    """``program`` and the associations of its products that are searched, and whether they are all that there are."""
    if not space.associations:
        return [program], True
    found = associations(program, space.most_associations + 1)
    return found[: space.most_associations], len(found) <= space.most_associations


def _chains(program: Program, original: Program) -> str:
    known = {statement.name: statement for statement in original.statements}
    changed = [item for item in program.statements if item.name in known and known[item.name] != item]
    names = []
    for statement in changed:
        outer = " * ".join(access.tensor for access in statement.operands)
        for access in statement.operands:
            if access.tensor not in known and any(item.name == access.tensor for item in program.statements):
                inside = " * ".join(item.tensor for item in program.statement(access.tensor).operands)
                outer = outer.replace(access.tensor, f"({inside})")
        names.append(f"{statement.name} = {outer}")
    return "; ".join(names)
