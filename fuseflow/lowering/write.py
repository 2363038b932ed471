"""Writers of a region's results, with droppers where a stored level would hold coordinates of nothing."""

from typing import TYPE_CHECKING

from fuseflow.dataflow.graph import Output, Port
from fuseflow.einsum import masked_tensors
from fuseflow.einsum.masks import default_format
from fuseflow.formats import Fill, Format, LevelKind
from fuseflow.lowering.absent import check_stored
from fuseflow.lowering.columns import Column
from fuseflow.lowering.compute import filled
from fuseflow.lowering.copies import Copy, restored

if TYPE_CHECKING:
    from fuseflow.lowering.generate import Lowering


def write(lowering: "Lowering", root: Column) -> tuple[Output, Copy | None]:
    """Writers for a result, and its copy if it does not come out in the storage order of its declaration."""
    result = lowering.computed[root]
    path = root.result_path
    check_stored(lowering, root)
    declared = lowering.region.program.tensor(root.name)
    mode_order = tuple(root.variables.index(loop) for loop in path)
    # A format that is merely the default is no request: the result is then stored in the order it comes in.
    masked = root.name in masked_tensors(lowering.region.program)
    kept = mode_order == declared.format.mode_order or declared.format == default_format(declared.order, masked)
    restore = None if kept else restored(declared, mode_order)
    name = root.name if restore is None else restore.source.name
    val = filled(lowering, result.val, root.name, lowering.tiles.result(root))
    streams = [
        result.crds[loop] if loop in result.crds else lowering.levels[path[: place + 1]].crd
        for place, loop in enumerate(path)
    ]
    if restore is None:
        _drop_empty(lowering, root, streams, declared.format)
    for number, (loop, crd) in enumerate(zip(path, streams, strict=True)):
        lowering.builder.write_crd(name, number, loop, crd)
    stored = lowering.tiles.over(root.variables)
    lowering.builder.write_val(name, val, lowering.tiles.listed(lowering.tiles.result(root), stored))
    return Output(name, declared.shape, mode_order, path), restore


def _drop_empty(lowering: "Lowering", root: Column, streams: list[Port], layout: Format) -> None:
    """Droppers where a compressed level of the result would store coordinates whose fibers are empty.

    Below a level that drops coordinates no fiber may be empty: the stops of the two could not be told apart.
    """
    path, made = root.result_path, lowering.computed[root].fills
    fills = [made[loop] if loop in made else lowering.levels[path[: place + 1]].fill for place, loop in enumerate(path)]
    sizes = [lowering.region.extents[loop] for loop in path]
    lowering.stored[root.name] = _stored_fills(fills, layout, sizes)
    dropping = False
    for inner in range(len(path) - 1, 0, -1):
        outer = inner - 1
        if not dropping and fills[inner] is not Fill.UNKNOWN:
            continue
        if layout.levels[outer].kind is LevelKind.DENSE:
            break
        what = (root.name, path[outer], path[inner])
        streams[outer], streams[inner] = lowering.builder.drop(*what, streams[outer], streams[inner])
        deepest = len(path) if not dropping else inner + 1  # deeper ones have a dropper of stops already
        for level in range(inner, deepest):
            streams[level] = lowering.builder.drop_stops(root.name, path[level], streams[level])
        dropping = True
        left = [*fills[:outer], Fill.UNKNOWN, *[Fill.NONEMPTY] * (len(path) - inner)]
        lowering.stored[root.name] = _stored_fills(left, layout, sizes)


def _stored_fills(fills: list[Fill], layout: Format, sizes: list[int]) -> tuple[Fill, ...]:
    """What is known of the levels of a result once it is stored as ``layout``, given what its streams hold.

    ``sizes`` are the extents of the levels. A compressed level keeps only coordinates that have something below them.
    """
    found: list[Fill] = []
    added = False  # whether a dense level above has coordinates that the streams lack
    for fill, level, size in zip(fills, layout.levels, sizes, strict=True):
        if level.kind is LevelKind.DENSE:
            found.append(Fill.FULL if size else Fill.UNKNOWN)
            added = added or fill is not Fill.FULL
        else:
            found.append(Fill.UNKNOWN if added else fill)
    for place in range(len(found) - 2, -1, -1):
        if layout.levels[place].kind is not LevelKind.DENSE and Fill.UNKNOWN in found[place + 1 :]:
            found[place] = Fill.UNKNOWN
    return tuple(found)
