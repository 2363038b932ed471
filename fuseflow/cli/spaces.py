"""Options of ``fuseflow explore`` that say what varies, read into parts of a :class:`fuseflow.explore.Space`."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from fuseflow.explore.block_choices import BlockSpace
    from fuseflow.schedule import GraphPass


def read_formats(given: list[str]) -> dict[str, tuple[str, ...]]:
    """Formats by tensor from ``x=dd|cc``; BadParameter for anything else."""
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, choices = text.partition("=")
        if not equals or not name or not choices:
            raise typer.BadParameter(f'{text!r} is not TENSOR=FORMAT|FORMAT, as in "x=dd|cc"')
        found[name] = tuple(choice.strip() for choice in choices.split("|"))
    return found


def read_lanes(given: list[str]) -> dict[str, tuple[int, ...]]:
    """Numbers of lanes by index variable from ``k=1,4``; BadParameter for anything else, or an index given twice."""
    found: dict[str, tuple[int, ...]] = {}
    for text in given:
        name, equals, counts = (part.strip() for part in text.partition("="))
        numbers = _numbers(counts)
        if not equals or not name or numbers is None:
            raise typer.BadParameter(f'--lanes: {text!r} is not INDEX=N,N, as in "k=1,4"')
        if name in found:
            raise typer.BadParameter(
                f"--lanes: index {name!r} is given twice; put its numbers into one, as in {name}=2,4"
            )
        found[name] = numbers
    return found


def read_blocks(given: list[str]) -> "BlockSpace":
    """Block sizes from ``0,8,16``, or by tensor and index variable from ``A=0,16`` and ``A=0,8x16``; without tiles only
    where there are none. BadParameter for anything else, a name given twice, or both kinds at once."""
    plain: list[int] = []
    named: dict[str, tuple[int | tuple[int, ...], ...]] = {}
    for text in given:
        name, equals, sizes = (part.strip() for part in text.rpartition("="))
        if not equals:
            numbers = _numbers(sizes)
            if numbers is None:
                raise typer.BadParameter(
                    f'--blocks: {text!r} is not N,N, as in "0,8,16" (0: without tiles), nor NAME=N,N, as in "A=0,16"'
                )
            plain += numbers
            continue
        choices = [_numbers(part, "x") for part in sizes.split(",")]
        if not name or None in choices:
            raise typer.BadParameter(
                f'--blocks: {text!r} is not NAME=N,N, as in "A=0,16" or, by dimension of a tensor, "A=0,8x16"'
            )
        if name in named:
            raise typer.BadParameter(f"--blocks: {name!r} is given twice; put its sizes into one, as in {name}=0,16")
        named[name] = tuple(item[0] if len(item) == 1 else item for item in choices if item is not None)
    if plain and named:
        raise typer.BadParameter(
            f"--blocks: {','.join(map(str, plain))} is for the whole model, {', '.join(named)} by name; give one kind"
        )
    return named or tuple(plain) or (0,)


def read_passes(given: list[str]) -> "tuple[tuple[GraphPass, ...], ...]":
    """No passes, then every sequence of ``locates,dead``; ScheduleError for a pass that does not exist."""
    from fuseflow.schedule import GraphPass

    found: dict[tuple[GraphPass, ...], None] = {(): None}
    for text in given:
        found[tuple(GraphPass.of(name.strip()) for name in text.split(","))] = None
    return tuple(found)


def _numbers(text: str, between: str = ",") -> tuple[int, ...] | None:
    """Whole numbers with ``between`` (commas) between them, ``None`` where ``text`` is something else."""
    parts = [part.strip() for part in text.split(between)]
    return tuple(map(int, parts)) if all(part.isascii() and part.isdecimal() for part in parts) else None
