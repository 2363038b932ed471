"""Concat: stamps computed by hand, what does not fit, and graphs that concatenate, in both engines."""

import random
from dataclasses import replace

import numpy as np
import pytest

from fuseflow.dataflow import Graph, Node, Output, Port, StreamKind, parse_tokens, show_tokens
from fuseflow.dataflow.blocks import (
    Array,
    Concat,
    CrdWriter,
    Flatten,
    Generator,
    Join,
    Joiner,
    LevelScanner,
    Root,
    Sink,
    Tile,
    ValWriter,
)
from fuseflow.dataflow.paths import stream_paths
from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token
from fuseflow.errors import DeadlockError, SimulationError, VerifyError
from fuseflow.formats import FiberTree, Format, from_tiles, to_tiles
from fuseflow.sim import Machine, Memory, Observation, Result, Trace, TraceOptions, interpret, simulate
from fuseflow.sim.blocks.concat import concat
from tests.dataflow.graphs import node
from tests.sim.equality import compare
from tests.sim.harness import drive, show

CRD, REF, VAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL
ONE = (node("one", Generator(VAL, (1.0, DONE))), node("write", ValWriter("Y"), "one.out"))


def of_streams(block: Concat, *streams: list[Token]) -> Graph:
    """A concat of given streams."""
    sources = [node(f"g{number}", Generator(block.payload, tuple(tokens))) for number, tokens in enumerate(streams)]
    made = node("cat", block, *(f"{source.name}.out" for source in sources))
    return Graph("concat", (*sources, made, node("sink", Sink(), "cat.out"), *ONE), (Output("Y", (), (), ()),))


def of_texts(block: Concat, *texts: str) -> Graph:
    return of_streams(block, *(parse_tokens(text, block.payload) for text in texts))


def streams_of(found: Result) -> str:
    assert found.streams is not None
    return show(found.streams[Port("cat", "out")])


def test_stamps_of_a_fiber_that_is_empty_in_one_input() -> None:
    """A cycle per coordinate and one for both stops; the empty fiber costs nothing of its own."""
    block = Concat("j", 2, CRD, (0, 4))
    texts, wanted = ("0 2 S0 S1 D", "1 S0 3 S1 D"), "0@2 2@3 5@4 S0@5 7@6 S1@7 D@8"
    unit, (out,) = drive(lambda unit: concat(unit, block.moves), texts, 1)
    assert (out, unit.clock, unit.busy) == (wanted, 7, 6)
    for run in (interpret, simulate):
        found = run(of_texts(block, *texts), {}, record=True)
        (stats,) = (each for each in found.nodes if each.name == "cat")
        assert (streams_of(found), stats.final_clock_cycles, stats.busy_cycles) == (wanted, 7, 6)


def test_stamps_of_nested_inputs_that_come_late() -> None:
    """An input is not looked at before the fiber of the one before has ended, and a stop waits for all of them."""
    inputs = ["N@1 S0@2 2@3 S1@4 D@5", "S0@10 S1@11 D@12", "5@1 6@2 S0@3 S1@4 D@20"]
    unit, (out,) = drive(concat, inputs, 1)
    assert out == "N@2 5@11 6@12 S0@13 2@14 S1@15 D@21"
    assert unit.clock == 20


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (("D", "D"), "D"),
        (("S0 D", "S0 D"), "S0 D"),
        (("S0 D", "1 S0 D"), "4 S0 D"),
        (("0 S9 D", "2 S9 D"), "0 5 S9 D"),
        (("N S0 1 N S1 D", "N S0 S1 D"), "N N S0 1 N S1 D"),
        (("2 S0 S0 S2 S2 D", "S0 0 S0 S2 1 S2 D"), "2 S0 3 S0 S2 4 S2 D"),
    ],
)
def test_functions(texts: tuple[str, str], wanted: str) -> None:
    graph = of_texts(Concat("j", 2, CRD, (0, 3)), *texts)
    if wanted == "D":  # streams without a fiber are the verifier's; the unit itself ends
        _, (out,) = drive(concat, texts, 1)
        assert out == "D@2"
        return
    found = compare(graph, {}, Machine())
    assert isinstance(found, Result) and found.streams is not None
    assert show_tokens(token for token, _ in found.streams[Port("cat", "out")]) == wanted


def nested(rng: random.Random, depth: int) -> list[list[Token]]:
    """The outer structure of random streams: innermost fibers, each with the level of its stop at the end."""
    fibers: list[list[Token]] = []

    def fill(level: int) -> None:
        if level == 0:
            fibers.append([Stop(0)])
            return
        for _ in range(rng.randint(1, 3)):
            fill(level - 1)
        fibers[-1][-1] = Stop(level)

    fill(depth - 1)
    return fibers


@pytest.mark.parametrize("seed", range(24))
def test_random_streams(seed: int) -> None:
    """Both engines, on streams that they get through channels of any depth, against lists put together in Python."""
    rng = random.Random(seed)
    kind, count, depth = rng.choice((CRD, REF, VAL)), rng.randint(1, 5), rng.randint(1, 4)
    extents = [rng.randint(0, 6) for _ in range(count)]
    offsets = tuple(sum(extents[:number]) for number in range(count)) if kind is CRD else ()
    streams: list[list[Token]] = [[] for _ in range(count)]
    wanted: list[Token] = []
    for (end,) in nested(rng, depth):
        for number, extent in enumerate(extents):
            if kind is CRD:
                some: list[Token] = [*sorted(rng.sample(range(extent), rng.randint(0, extent)))]
                wanted += [int(token) + offsets[number] for token in some if isinstance(token, int)]
            else:
                numbers = [rng.randrange(9) for _ in range(rng.randint(0, extent))]
                some = [EMPTY if rng.random() < 0.2 else each if kind is REF else float(each) for each in numbers]
                wanted += some
            streams[number] += [*some, end]
        wanted.append(end)
    graph = of_streams(Concat("j", count, kind, offsets), *([*stream, DONE] for stream in streams))
    memory = rng.choice((Memory.ideal(), Memory.hbm()))
    machine = Machine(memory=memory, channel_capacity=rng.choice((None, 1, 2, 5)))
    found = compare(graph, {}, machine, (1 << 20, rng.randint(1, 9)))
    assert isinstance(found, Result) and found.streams is not None
    assert [token for token, _ in found.streams[Port("cat", "out")]] == [*wanted, DONE]


@pytest.mark.parametrize(
    ("block", "texts", "match"),
    [
        (
            Concat("j", 2, VAL),
            ("0 S0 1 S1 D", "2 S1 D"),
            r"cat, cycle 3: the fibers of the inputs do not end alike: S0 at cat.in0, S1 at cat.in1 "
            r"\(tokens 1, 1 of the stream\); the inputs must have the same outer fibers",
        ),
        (
            Concat("j", 2, VAL),
            ("1 S0 D", "1 S0 S0 D"),
            r"cat, cycle 4: the fibers of the inputs do not end alike: D at cat.in0, S0 at cat.in1 \(tokens 2, 2 of",
        ),
        (
            Concat("j", 2, CRD, (0, 3)),
            ("0 3 S0 D", "0 S0 D"),
            r"cat, cycle 2: coordinate not below 3: 3 at cat.in0 \(token 1 of the stream\); the offsets must be",
        ),
        (
            Concat("j", 2, CRD, (0, 3)),
            ("S0 D", "2147483647 S0 D"),
            r"cat, cycle 1: coordinate not below 2147483645: 2147483647 at cat.in1 \(token 0 of the stream\)",
        ),
        (
            Concat("j", 2, CRD),
            ("0 4 S0 D", "4 S0 D"),
            r"cat, cycle 3: coordinates of a fiber must rise, but 4 comes before: 4 at cat.in1 \(token 0 of the stream\); "
            r"sort the coordinates of each fiber, and give offsets where the inputs overlap",
        ),
        (
            Concat("j", 2, CRD, (0, 9)),
            ("S0 D", "2 1 S0 D"),
            r"cat, cycle 2: coordinates of a fiber must rise, but 2 comes before: 1 at cat.in1 \(token 1 of the stream\)",
        ),
    ],
)
def test_what_does_not_fit(block: Concat, texts: tuple[str, ...], match: str) -> None:
    made = of_texts(block, *texts)
    for run in (interpret, simulate):
        with pytest.raises(SimulationError, match=match):
            run(made, {})


def test_coordinates_in_ranges_need_no_offsets() -> None:
    found = compare(of_texts(Concat("j", 2, CRD), "0 4 S0 9 S1 D", "5 S0 2147483647 S1 D"), {}, Machine())
    assert isinstance(found, Result)
    assert " ".join(word.partition("@")[0] for word in streams_of(found).split()) == "0 4 5 S0 9 2147483647 S1 D"


@pytest.mark.parametrize(
    ("block", "texts", "match"),
    [
        (Concat("j", 0, VAL), (), r"node 'cat': needs 1 input or more, not 0; the most are 4096"),
        (Concat("j", 5000, VAL), ("1 S0 D",), r"node 'cat': needs 1 input or more, not 5000"),
        (Concat("j", 2, CRD, (0,)), ("0 S0 D", "0 S0 D"), r"needs an offset for each of its 2 inputs, .* not \(0,\)"),
        (Concat("j", 2, CRD, (1, 3)), ("0 S0 D", "0 S0 D"), r"needs an offset .* not \(1, 3\); give the running sums"),
        (Concat("j", 3, CRD, (0, 3, 2)), ("0 S0 D",) * 3, r"needs an offset .* not \(0, 3, 2\)"),
        (Concat("j", 2, CRD, (0, 2**31)), ("0 S0 D",) * 2, r"an offset must be at most 2147483647"),
        (
            Concat("j", 2, VAL, (0, 3)),
            ("1 S0 D",) * 2,
            r"has offsets \(0, 3\) for val payloads; only coordinates are moved",
        ),
        (Concat("j", 2, StreamKind.SIGNAL), ("R S D",) * 2, r"carries references, coordinates or values, not repeat"),
        (
            Concat("j", 2, VAL),
            ("1 D", "1 D"),
            r"input 'in0' reads g0.out at depth 0, but what is concatenated are fibers",
        ),
        (
            Concat("j", 2, VAL),
            ("1 S0 D", "1 S1 D"),
            r"node 'cat': input 'in1' reads g1.out at depth 2, but input 'in0'",
        ),
    ],
)
def test_what_the_verifier_refuses(block: Concat, texts: tuple[str, ...], match: str) -> None:
    made = of_texts(block, *texts)
    for run in (interpret, simulate):
        with pytest.raises(VerifyError, match=match):
            run(made, {})


def test_flattened_coordinates_are_concatenated_too() -> None:
    """Without offsets there is no limit: what comes may be larger than a dimension. With them it is refused."""
    outer, inner = Generator(CRD, (5, Stop(0), DONE)), Generator(CRD, (7, Stop(1), DONE))
    large = Flatten("i", "j", "f", 2**31 - 1)

    def made(block: Concat) -> Graph:
        nodes = (node("o", outer), node("n", inner), node("flat", large, "o.out", "n.out"))
        return Graph("flat", (*nodes, node("cat", block, "flat.crd"), *ONE), (Output("Y", (), (), ()),))

    found = compare(made(Concat("p", 1, CRD)), {}, Machine())
    assert isinstance(found, Result)
    assert streams_of(found).startswith(f"{5 * (2**31 - 1) + 7}@")
    for run in (interpret, simulate):
        with pytest.raises(
            SimulationError, match=r"cat, cycle 2: coordinate not below 2147483648: 10737418242 at cat.in0"
        ):
            run(made(Concat("p", 1, CRD, (0,))), {})


def test_inputs_are_of_one_kind() -> None:
    nodes = (
        node("a", Generator(VAL, (1.0, Stop(0), DONE))),
        node("b", Generator(REF, (1, Stop(0), DONE))),
        node("cat", Concat("j", 2), "a.out", "b.out"),
    )
    with pytest.raises(VerifyError, match=r"node 'cat': input 'in1' takes a val stream, but b.out is a ref stream"):
        interpret(Graph("concat", (*nodes, *ONE), (Output("Y", (), (), ()),)), {})


def matrix(rng: np.random.Generator, rows: int, columns: int) -> FiberTree:
    dense = rng.integers(1, 9, (rows, columns)) * (rng.random((rows, columns)) < 0.4)
    dense[rng.integers(rows)] = 0
    return FiberTree.from_dense(dense.astype(np.float32), Format.parse("cc", 2))


def side_by_side(shapes: list[tuple[int, int]]) -> Graph:
    """X = [A B ...] from compressed operands: rows that any of them has, below each the columns of all."""
    names = "ABC"[: len(shapes)]
    offsets = tuple(sum(width for _, width in shapes[:number]) for number in range(len(shapes)))
    nodes: list[Node] = []
    for name in names:
        nodes += [node(f"root_{name}", Root(name)), node(f"i_{name}", LevelScanner(name, 0, "i"), f"root_{name}.ref")]
    wires = [f"i_{name}.{port}" for name in names for port in ("crd", "ref")]
    nodes.append(node("rows", Joiner(Join.UNION, "i", (REF,) * len(names)), *wires))
    for number, name in enumerate(names):
        nodes.append(node(f"j_{name}", LevelScanner(name, 1, "j"), f"rows.out{number}"))
        nodes.append(node(f"val_{name}", Array(name), f"j_{name}.ref"))
    nodes += [
        node("crd", Concat("j", len(names), CRD, offsets), *(f"j_{name}.crd" for name in names)),
        node("val", Concat("j", len(names)), *(f"val_{name}.val" for name in names)),
        node("write_i", CrdWriter("X", 0, "i"), "rows.crd"),
        node("write_j", CrdWriter("X", 1, "j"), "crd.out"),
        node("write_val", ValWriter("X"), "val.out"),
    ]
    shape = (shapes[0][0], sum(width for _, width in shapes))
    return Graph("columns", tuple(nodes), (Output("X", shape, (0, 1), ("i", "j")),))


@pytest.mark.parametrize("widths", [(3, 5), (4, 1, 6)])
@pytest.mark.parametrize("machine", [Machine(), Machine(memory=Memory.hbm2()), Machine(channel_capacity=16)])
def test_matrices_along_their_columns(widths: tuple[int, ...], machine: Machine) -> None:
    rng = np.random.default_rng(len(widths))
    trees = {name: matrix(rng, 7, width) for name, width in zip("ABC", widths, strict=False)}
    graph = side_by_side([tree.shape for tree in trees.values()])  # type: ignore[misc]  # both have two dimensions
    found = compare(graph, trees, machine)
    assert isinstance(found, Result)
    wanted = np.concatenate([tree.to_dense() for tree in trees.values()], axis=1)
    np.testing.assert_array_equal(found.output.to_dense(), wanted)
    assert found.output.stored == np.count_nonzero(wanted)


def test_streams_of_both_operands_have_one_path() -> None:
    paths = stream_paths(side_by_side([(2, 3), (2, 5)]))
    assert paths[Port("crd", "out")] == paths[Port("val", "out")] == ("i", "j")


@pytest.mark.parametrize("machine", [Machine(), Machine(channel_capacity=20)])
def test_a_trace_books_every_busy_cycle(machine: Machine) -> None:
    rng = np.random.default_rng(5)
    trees = {name: matrix(rng, 6, 4) for name in "AB"}
    graph = side_by_side([(6, 4)] * 2)
    found = simulate(graph, trees, machine, observation=Observation(TraceOptions()))
    assert found.trace is not None
    sums = Trace((found.trace,)).intervals.groupby("node", observed=True)["busy_cycles"].sum().to_dict()
    assert sums == {node.name: node.busy_cycles for node in interpret(graph, trees, machine).nodes}


def test_tiles_side_by_side() -> None:
    """Values may be tiles; they cost what numbers cost."""
    rng, tile = np.random.default_rng(6), Tile(("a", "b"), (2, 3))
    plain = {name: matrix(rng, 4, 6) for name in "AB"}
    trees = {name: to_tiles(tree, (2, 3), Format.parse("cc", 2)) for name, tree in plain.items()}
    blocks = {"val_A": Array("A", (tile,)), "val_B": Array("B", (tile,)), "write_val": ValWriter("X", (tile, tile))}
    made = side_by_side([(2, 2)] * 2)
    graph = replace(made, nodes=tuple(replace(each, block=blocks.get(each.name, each.block)) for each in made))
    found, slow = simulate(graph, trees, record=True), interpret(graph, trees, record=True)
    assert (found.cycles, found.nodes, repr(found.streams)) == (slow.cycles, slow.nodes, repr(slow.streams))
    wanted = np.concatenate([tree.to_dense() for tree in plain.values()], axis=1)
    whole = from_tiles(found.output, (2, 3), Format.parse("cc", 2)).to_dense()
    np.testing.assert_array_equal(whole, wanted)


def test_references_into_one_tensor_stay_references() -> None:
    """[a a] with the references side by side, and one array behind them."""
    nodes = (
        node("root", Root("a")),
        node("scan", LevelScanner("a", 0, "i"), "root.ref"),
        node("crd", Concat("p", 2, CRD, (0, 4)), "scan.crd", "scan.crd"),
        node("ref", Concat("p", 2, REF), "scan.ref", "scan.ref"),
        node("array", Array("a"), "ref.out"),
        node("write_i", CrdWriter("X", 0, "p"), "crd.out"),
        node("write_val", ValWriter("X"), "array.val"),
    )
    vector = np.array([0, 3, 0, 5], np.float32)
    made = Graph("twice", nodes, (Output("X", (8,), (0,), ("p",)),))
    tensors = {"a": FiberTree.from_dense(vector, Format.parse("c", 1))}
    found = compare(made, tensors, Machine())
    assert isinstance(found, Result)
    np.testing.assert_array_equal(found.output.to_dense(), np.concatenate([vector, vector]))


def test_a_fiber_that_does_not_fit_its_channel() -> None:
    """Both inputs come from one stream, so the second one holds a whole fiber while the first is sent."""
    source = node("g", Generator(VAL, (*map(float, range(6)), Stop(0), DONE)))
    nodes = (source, node("cat", Concat("j", 2), "g.out", "g.out"), node("sink", Sink(), "cat.out"), *ONE)
    made = Graph("deadlock", nodes, (Output("Y", (), (), ()),))
    deep = Machine().with_depth("g.out -> cat.in1", 2)
    compare(made, {}, deep)
    for run in (interpret, simulate):
        with pytest.raises(DeadlockError) as caught:
            run(made, {}, deep)
        enough = deep
        for stream, depth in caught.value.suggestion.items():
            enough = enough.with_depth(stream, depth)
        assert run(made, {}, enough).cycles == run(made, {}).cycles
