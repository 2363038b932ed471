"""One primitive on its own: token text in, token text out."""

from collections.abc import Mapping

from fuseflow.dataflow.blocks import Block
from fuseflow.dataflow.graph import Node, Part, Port
from fuseflow.dataflow.tokens import StreamKind, parse_tokens, show_tokens
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim import Machine
from fuseflow.sim.blocks import Surroundings, Written, build
from fuseflow.sim.channel import Channel
from fuseflow.sim.interpret import run


def primitive(block: Block, *inputs: str, tensors: Mapping[str, FiberTree] | None = None) -> dict[str, str]:
    """What ``block`` sends on each of its ports when it is fed ``inputs``, one text of tokens per input port.

    Raises VerifyError for text that is no stream, SimulationError where the streams do not fit the block.
    """
    ports = block.inputs
    if len(inputs) != len(ports):
        names = ", ".join(spec.name for spec in ports) or "none"
        raise SimulationError(
            f"a {block.kind} has {len(ports)} inputs ({names}), not {len(inputs)}; give a text for each"
        )
    entries, exits = [], []
    for spec, text in zip(ports, inputs, strict=True):
        kind = StreamKind.VAL if StreamKind.VAL in spec.kinds and "." in text else spec.kinds[0]
        channel = Channel(f"input {spec.name}", f"{block.kind}.{spec.name}")
        channel.queue.extend((token, stamp) for stamp, token in enumerate(parse_tokens(text, kind), start=1))
        channel.closed = True
        entries.append(channel)
    for spec in block.outputs:
        exits.append(Channel(f"{block.kind}.{spec.name}", None, record=[]))
    node = Node(block.kind, block, tuple(Port("input", spec.name) for spec in ports), Part.ITERATION)
    run(build(node, entries, exits, Surroundings(tensors or {}, Machine(), Written())))
    return {
        spec.name: show_tokens([token for token, _ in channel.record or []])
        for spec, channel in zip(block.outputs, exits, strict=True)
    }
