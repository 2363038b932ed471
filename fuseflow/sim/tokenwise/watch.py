"""Progress of a run on the token core."""

from collections.abc import Mapping

from fuseflow.dataflow.blocks import CrdWriter, LevelScanner, Root, ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import compressed_level
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.progress import Pace, Progress
from fuseflow.sim.tokenwise.running import NetworkRun
from fuseflow.sim.written import WrittenPart


class Watch:
    """Looks at a network between two slices of its run."""

    __slots__ = ("_known", "_network", "_pace", "_part", "_run", "_writers")

    def __init__(self, graph: Graph, tensors: Mapping[str, FiberTree], run: NetworkRun) -> None:
        network = run.network
        self._network, self._run = network, run
        self._pace = Pace()
        totals = known_totals(graph, tensors)
        self._known = [
            (channel.place, totals[channel.port])
            for channel in network.channels
            if channel.port in totals and channel.target is not None
        ]
        self._part = WrittenPart(graph)
        self._writers = [unit for unit in network.units if isinstance(unit.block, CrdWriter | ValWriter)]

    def progress(self) -> Progress:
        """Where the run is now."""
        words = self._network.arena.words
        tokens = sum(int(words[channel.place + layout.SENT]) for channel in self._network.channels)
        clock = min((int(words[unit.place + layout.CLOCK]) for unit in self._writers), default=0)
        writers = {unit.node: unit for unit in self._writers}
        read = self._part.of(lambda name: self._run.written(writers[name]))
        read = read or [(int(words[place + layout.TAKEN]), total) for place, total in self._known]
        return self._pace.report(tokens, clock, read)


def known_totals(graph: Graph, tensors: Mapping[str, FiberTree]) -> dict[Port, int]:
    """Streams of the operands scanned once from their root, with the number of tokens to come (a bound)."""
    counts: dict[Port, int] = {}
    totals: dict[Port, int] = {}
    for node in graph:
        block = node.block
        if isinstance(block, Root):
            counts[Port(node.name, "ref")] = 1
        elif isinstance(block, LevelScanner) and node.inputs[0] in counts:
            references = counts[node.inputs[0]]
            if block.extent is not None:
                coordinates = references * block.extent
            else:
                coordinates = len(compressed_level(node.name, block, tensors).coordinates)
            for spec in block.outputs:
                counts[Port(node.name, spec.name)] = coordinates
                totals[Port(node.name, spec.name)] = coordinates + references + 1
    return totals
