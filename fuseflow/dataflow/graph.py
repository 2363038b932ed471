"""The dataflow graph: named nodes, each a block with its inputs wired to output ports of other nodes.

Fan-out is implicit: an output port may have any number of readers. The simulator charges the reference's broadcast
cycle for it (rule 1.7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fuseflow.dataflow.blocks import Array, Block, LevelScanner, ValueBlock
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import VerifyError


class Part(Enum):
    """Which part of a region a node serves (paper §6)."""

    ITERATION = "iteration"
    COMPUTE = "compute"
    CONSTRUCTION = "construction"


@dataclass(frozen=True, slots=True)
class Port:
    """Output port ``name`` of node ``node``."""

    node: str
    name: str

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """A block in a graph: ``inputs[k]`` feeds the block's k-th input port. ``role`` says in words what it is for."""

    name: str
    block: Block
    inputs: tuple[Port, ...]
    part: Part
    role: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A result of the graph: ``indices`` are its level index variables, outermost first.

    ``mode_order[l]`` is the dimension that level ``l`` stores; ``shape`` is by dimension.
    """

    tensor: str
    shape: tuple[int, ...]
    mode_order: tuple[int, ...]
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """An immutable dataflow graph; nodes stand in topological order. ``outputs`` are its results, one or more."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]

    @property
    def output(self) -> Output:
        """The result of a graph that has exactly one; VerifyError otherwise."""
        if len(self.outputs) != 1:
            names = ", ".join(output.tensor for output in self.outputs) or "none"
            raise VerifyError(f"graph {self.name!r} has {len(self.outputs)} outputs ({names}); use Graph.outputs")
        return self.outputs[0]

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def node(self, name: str) -> Node:
        """The node called ``name``; VerifyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise VerifyError(f"graph {self.name!r} has no node {name!r}")

    def stream_kind(self, port: Port) -> StreamKind:
        """Kind of the stream that leaves ``port``."""
        for spec in self.node(port.node).block.outputs:
            if spec.name == port.name:
                return spec.kinds[0]
        names = ", ".join(spec.name for spec in self.node(port.node).block.outputs) or "none"
        raise VerifyError(f"node {port.node!r} has no output port {port.name!r}; its outputs: {names}")

    @property
    def tiled(self) -> bool:
        """Whether values are tiles (a blocked region)."""
        blocks = (node.block for node in self.nodes)
        return any(isinstance(block, ValueBlock) and bool(block.tiles) for block in blocks)

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors the graph reads from storage, in order of first use."""
        blocks = (node.block for node in self.nodes)
        names = (
            block.tensor
            for block in blocks
            if isinstance(block, Array) or (isinstance(block, LevelScanner) and block.extent is None)
        )
        return tuple(dict.fromkeys(names))

    def __repr__(self) -> str:
        lines = [f"Graph {self.name}: {len(self.nodes)} nodes"]
        for number, node in enumerate(self.nodes):
            feeds = ", ".join(f"{spec.name}={port}" for spec, port in zip(node.block.inputs, node.inputs, strict=True))
            lines.append(f"{number:4d} {node.name}({feeds})")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Picture in a notebook, text elsewhere."""
        from fuseflow.dataflow.show import mimebundle

        return mimebundle(self)
