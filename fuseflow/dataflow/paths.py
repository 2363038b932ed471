"""Which index variables a stream is nested in, outermost first: the path of every output port, from the graph alone.

Behind a fork the last index of a path carries the lane (``i@2``); a gather takes it off again. So two streams have the
same path exactly if they were made for the same coordinates.
"""

from fuseflow.dataflow.blocks import (
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    Flatten,
    Fork,
    Gather,
    Generator,
    LevelScanner,
    Reduce,
    Repeat,
    Repeater,
    Root,
    SparseAccumulator,
)
from fuseflow.dataflow.graph import Graph, Node, Port

Path = tuple[str, ...]


def stream_paths(graph: Graph) -> dict[Port, Path]:
    """Path of every output port of ``graph``, which must be well formed; a root reference has the empty path."""
    paths: dict[Port, Path] = {}
    for node in graph.nodes:
        inputs = [paths[port] for port in node.inputs]
        for spec, path in zip(node.block.outputs, _outputs(node, inputs), strict=True):
            paths[Port(node.name, spec.name)] = path
    return paths


def _outputs(node: Node, inputs: list[Path]) -> list[Path]:
    count = len(node.block.outputs)
    match node.block:
        case Root() | Generator():
            return [()] * count
        case LevelScanner(index=index):
            return [(*inputs[0], index)] * count
        case Repeat() | Repeater():
            return [inputs[1]]
        case Reduce():
            return [inputs[0][:-1]]
        case SparseAccumulator(indices=indices) as block:
            outer = inputs[-1][: -block.order - 1]
            kept = inputs[-1][len(inputs[-1]) - block.order :]
            crds = [(*outer, *kept[: len(indices) - number]) for number in range(block.order)]
            return [*crds, (*outer, *kept)]
        case Fork(lanes=lanes):
            return [(*inputs[0][:-1], f"{inputs[0][-1]}@{lane}") for lane in range(lanes)]
        case Gather(depth=depth):
            place = len(inputs[0]) - 1 - depth
            return [(*inputs[0][:place], inputs[0][place].rpartition("@")[0], *inputs[0][place + 1 :])]
        case CoordHold():
            return [inputs[1], inputs[1]]
        case CoordMask():
            return [inputs[0], inputs[1], inputs[1]]
        case Flatten(index=index) | Concat(index=index):
            return [(*inputs[0][:-1], index)]
        case CoordDrop():
            return inputs
        case _:  # all outputs stand on the level of the deepest input; a parent or a guard may stand above
            return [max(inputs, key=len, default=())] * count
