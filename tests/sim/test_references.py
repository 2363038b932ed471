"""Products of dense sizes along a path stay within 64 bits, or the graph is refused by name in every engine."""

import numpy as np
import pytest

from fuseflow.dataflow.blocks import Block, Flatten, Generator, LevelScanner, Locate, Repeat, Sink
from fuseflow.dataflow.graph import Node
from fuseflow.dataflow.tokens import StreamKind, parse_tokens
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim import Core, interpret, simulate
from tests.dataflow.graphs import node
from tests.sim.test_bad_input import graph

CRD, REF = StreamKind.CRD, StreamKind.REF
LARGE = 2**31 - 1


def source(name: str, kind: StreamKind, text: str) -> Node:
    tensor = {"tensor": "D", "level": 0} if kind is REF else {}
    return node(name, Generator(kind, tuple(parse_tokens(text, kind)), **tensor))  # type: ignore[arg-type]  # of mixed types


def sinks(name: str, block: Block) -> list[Node]:
    return [node(f"{name}_{out.name}", Sink(), f"{name}.{out.name}") for out in block.outputs]


def located(levels: int, extent: int) -> list[Node]:
    """The largest coordinate in each of ``levels`` dense levels of ``extent``, one inside the other."""
    nodes: list[Node] = []
    for level in range(levels):
        block = Locate("D", level, f"i{level}", extent, level > 0)
        text = f"{extent - 1} S{level} D"
        nodes += [source(f"ref{level}", REF, text), source(f"crd{level}", CRD, text)]
        parent = [f"at{level - 1}.located"] if level else []
        nodes.append(node(f"at{level}", block, f"ref{level}.out", f"crd{level}.out", *parent))
        nodes += sinks(f"at{level}", block)
    return nodes


def refuses(nodes: list[Node], match: str) -> None:
    made = graph(*nodes)
    for run in (interpret, simulate, lambda made, tensors: simulate(made, tensors, core=Core.TOKEN)):
        with pytest.raises(SimulationError, match=match):
            run(made, {})


def test_the_largest_place_that_fits_is_the_same_in_all_engines() -> None:
    made = graph(*located(2, LARGE))
    runs = [
        interpret(made, {}, record=True),
        simulate(made, {}, record=True),
        simulate(made, {}, record=True, core=Core.TOKEN),
    ]
    for run in runs:
        assert run.streams is not None
        (place,) = [stream[0][0] for port, stream in run.streams.items() if str(port) == "at1.located"]
        assert place == LARGE * LARGE - 1  # (LARGE - 1) * LARGE + LARGE - 1


def test_levels_that_are_too_large_together() -> None:
    refuses(
        located(3, LARGE), rf"at2 multiplies what it reads by {LARGE}: its references may reach {LARGE**3 - 1}, and"
    )


def test_what_a_repeat_passes_on_counts() -> None:
    scan = LevelScanner("D", 1, "k", LARGE)
    held = Repeat("j", REF)
    nodes = [
        source("far", REF, f"{2**32} D"),
        source("j", CRD, "0 S0 D"),
        node("held", held, "far.out", "j.out"),
        node("scan", scan, "held.out"),
        *sinks("scan", scan),
    ]
    refuses(nodes, rf"scan multiplies what it reads by {LARGE}: its references may reach {(2**32 + 1) * LARGE - 1}")


def test_flattened_coordinates() -> None:
    blocks = [Flatten("i", "j", "ij", LARGE), Flatten("ij", "k", "ijk", LARGE)]
    nodes = [
        source("i", CRD, f"{LARGE - 1} S0 D"),
        source("j", CRD, "0 S1 D"),
        source("k", CRD, "0 S1 D"),
        node("first", blocks[0], "i.out", "j.out"),
        node("second", blocks[1], "first.crd", "k.out"),
        *sinks("second", blocks[1]),
    ]
    refuses(nodes, f"second multiplies what it reads by {LARGE}")


def test_a_compressed_level_counts_as_what_it_holds() -> None:
    """Places in a dense level behind a compressed one: as many as are stored, not as many as might be."""
    tree = FiberTree.from_dense(np.eye(3, dtype=np.float32), "cc")
    rows = LevelScanner("A", 0, "i")
    wide = LevelScanner("D", 1, "k", 5)
    nodes = [
        node("root", Generator(REF, tuple(parse_tokens("0 D", REF)), "A", -1)),
        node("rows", rows, "root.out"),
        node("wide", wide, "rows.ref"),
        node("rows_crd", Sink(), "rows.crd"),
        *sinks("wide", wide),
    ]
    made = graph(*nodes)
    found = [run(made, {"A": tree}, record=True) for run in (interpret, simulate)]
    assert found[0].streams == found[1].streams
