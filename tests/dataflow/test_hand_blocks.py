"""What the verifier asks of the blocks of hand-written graphs, and how they are drawn."""

import pytest

from fuseflow.dataflow import (
    EMPTY,
    REPEAT,
    Graph,
    Node,
    Output,
    Stop,
    StreamKind,
    Token,
    depths,
    parse_tokens,
    to_dot,
    verify,
)
from fuseflow.dataflow.blocks import (
    Array,
    Block,
    Comparison,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    Flatten,
    Fork,
    Gather,
    Generator,
    LevelScanner,
    Repeater,
    RepeatSignal,
    Sink,
    StopDrop,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.dot import describe
from fuseflow.dataflow.graph import Port
from fuseflow.errors import VerifyError
from tests.dataflow.graphs import node

CRD, REF, VAL, SIGNAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL, StreamKind.SIGNAL


def generator(kind: StreamKind, text: str, tensor: str | None = None, level: int = -1) -> Generator:
    return Generator(kind, tuple(parse_tokens(text, kind)), tensor, level)


def graph(*nodes: Node) -> Graph:
    result = (node("one", generator(VAL, "1 D")), node("write", ValWriter("Y"), "one.out"))
    return Graph("hand", (*nodes, *result), (Output("Y", (), (), ()),))


def sources() -> tuple[Node, ...]:
    return (
        node("outer", generator(CRD, "0 S0 D")),
        node("inner", generator(CRD, "0 S1 D")),
        node("ref", generator(REF, "0 S1 D", "A", 1)),
        node("val", generator(VAL, "0 S1 D")),
        node("signal", generator(SIGNAL, "R S0 D")),
    )


def test_depths() -> None:
    found = depths(
        graph(
            *sources(),
            node("drop", CoordDrop("i", "j"), "outer.out", "inner.out"),
            node("hold", CoordHold("i", "j"), "outer.out", "inner.out"),
            node("mask", CoordMask("i", "j", Comparison.LESS), "outer.out", "inner.out", "ref.out"),
            node("flat", Flatten("i", "j", "p", 4), "outer.out", "inner.out"),
            node("fork", Fork(2), "ref.out"),
            node("gather", Gather(2, guarded=True), "fork.out0", "fork.out1", "outer.out"),
            node("concat", Concat("p", 2, CRD, (0, 4)), "inner.out", "inner.out"),
            node("zeros", ValueDrop("j"), "val.out", "inner.out"),
            node("word", RepeatSignal("j"), "inner.out"),
        )
    )
    wanted = {
        "drop.outer": 1, "drop.inner": 2, "hold.outer": 2, "hold.inner": 2, "mask.outer": 1, "mask.ref": 2,
        "flat.crd": 1, "fork.out1": 2, "gather.out": 2, "concat.out": 2, "zeros.val": 2, "word.signal": 2,
    }  # fmt: skip
    assert {name: found[Port(*name.split("."))] for name in wanted} == wanted


def test_references_pass_through() -> None:
    verify(
        graph(
            *sources(),
            node("mask", CoordMask("i", "j", Comparison.LESS), "outer.out", "inner.out", "ref.out"),
            node("fork", Fork(2), "mask.ref"),
            node("gather", Gather(2), "fork.out0", "fork.out1"),
            node("concat", Concat("j", 2, REF), "gather.out", "ref.out"),
            node("stops", StopDrop(REF), "concat.out"),
            node("scan", LevelScanner("A", 2, "k"), "stops.out"),
            node("array", Array("A"), "scan.ref"),
            node("sink", Sink(), "array.val"),
        )
    )


@pytest.mark.parametrize(
    ("tokens", "kind", "text"),
    [
        ((), REF, "has no tokens; a stream has at least its D"),
        ((0, Stop(0)), REF, "token 1 of 2 is S0; a stream ends in D and has no other"),
        (tuple(parse_tokens("0 D 1 D", REF)), REF, "token 1 of 4 is D; a stream ends in D"),
        ((-1,), REF, "token 0 of its ref stream is -1, which is no token of that kind"),
        ((1.5,), CRD, "token 0 of its crd stream is 1.5"),
        ((REPEAT,), VAL, "token 0 of its repsig stream is R|token 0 of its val stream is R"),
        ((EMPTY,), SIGNAL, "token 0 of its repsig stream is N"),
    ],
)
def test_tokens_of_a_generator(tokens: tuple[Token, ...], kind: StreamKind, text: str) -> None:
    with pytest.raises(VerifyError, match=f"graph 'hand', node 'own': .*{text}" if "|" not in text else text):
        verify(graph(node("own", Generator(kind, tokens))))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (node("own", Fork(0), "ref.out"), "node 'own': needs 1 lane or more, not 0"),
        (node("own", Fork(2, SIGNAL), "signal.out"), "node 'own': carries references, coordinates or values, not"),
        (node("own", StopDrop(SIGNAL), "signal.out"), "node 'own': carries references, coordinates or values, not"),
        (node("own", Flatten("i", "j", "p", -1), "outer.out", "inner.out"), "0 or more, not -1"),
        (node("own", CoordDrop("i", "j"), "outer.out", "outer.out"), "input 'inner' reads outer.out at depth 1"),
        (node("own", Repeater("j", VAL), "ref.out", "signal.out"), "a ref stream, but the block repeats val"),
        (node("own", Repeater("j"), "ref.out", "inner.out"), "input 'signal' takes a repsig stream"),
        (node("own", Concat("p", 2), "val.out", "one.out"), "reads one.out, which stands later in the graph"),
        (
            node("own", Array("B"), "ref.out"),
            "must be a reference into level 1 of 'B', but ref.out points into level 1 of",
        ),
    ],
)
def test_refusals(made: Node, text: str) -> None:
    with pytest.raises(VerifyError, match=text):
        verify(graph(*sources(), made))


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (generator(REF, "0 1 D"), "3 ref tokens"),
        (Sink(), "drops what comes"),
        (RepeatSignal("j"), "repeat signal over j"),
        (Repeater("j"), "ref for each j, by signal"),
        (CoordDrop("i", "j"), "i without any j"),
        (CoordHold("i", "j"), "i for each j"),
        (CoordMask("i", "j", Comparison.LESS), "drop where o < i\no = i, i = j"),
        (Flatten("i", "j", "p", 4), "p = i × 4 + j"),
        (Fork(3), "into 3 lanes"),
        (Gather(3, guarded=True), "from 3 lanes, guarded"),
        (Concat("p", 3), "p from 3 streams"),
        (StopDrop(), "repeated stops"),
        (ValueDrop("j"), "zeros, at j"),
    ],
)
def test_every_block_says_what_it_does(block: Block, text: str) -> None:
    assert describe(block) == text


def test_families_are_drawn() -> None:
    text = to_dot(
        graph(
            *sources(),
            node("drop", CoordDrop("i", "j"), "outer.out", "inner.out"),
            node("fork", Fork(2), "ref.out"),
            node("sink", Sink(), "signal.out"),
        )
    )
    for family in ("source", "coordinates", "lanes", "sink"):
        assert f'class="block {family}"' in text
        assert f'"legend {family}"' in text
