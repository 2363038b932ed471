"""Every block alone, compiled against interpreted, on random streams: nests with empty fibers, ``N``, jittered stamps.

Streams are also damaged at random: then both must refuse them, or both give the same.
"""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Missing,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Node, Part, Port
from fuseflow.dataflow.tokens import DONE, EMPTY, PACKED_DONE, PACKED_EMPTY, Stop, StreamKind, Token
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim.blocks import Surroundings, Written, build
from fuseflow.sim.blocks.base import Unit as PlainUnit
from fuseflow.sim.channel import Channel, Stamped
from fuseflow.sim.counters import node_stats
from fuseflow.sim.engine_run import run
from fuseflow.sim.engine_units import Unit, build_unit
from fuseflow.sim.interpret import run as run_plain
from fuseflow.sim.kernels.layout import FINISHED, FIRST_TOKEN, FULL, HEADS, STATUS
from fuseflow.sim.machine import BlockTiming, Machine, ScannerTiming
from fuseflow.sim.result import NodeStats
from fuseflow.sim.stream import Stream, recorder_of
from tests.sim.test_accumulate import encode, nest

Outcome = tuple[NodeStats, list[list[Stamped]]] | None
"""Counters and outputs, or ``None`` if the streams were refused."""

TENSORS = {
    "T": FiberTree.from_dense(np.eye(6, dtype=np.float32)[[0, 3, 3, 1, 0, 5]] + np.tri(6, dtype=np.float32), "cc"),
    "V": FiberTree.from_dense(np.linspace(-2, 5, 12, dtype=np.float32), Format.dense(1)),
}
MACHINES = [
    Machine(),
    Machine(
        scanner=ScannerTiming(2, 0.5, 1, 3, 2, 5, 2),
        array=BlockTiming(4, 2),
        binary=BlockTiming(3, 2),
        unary=BlockTiming(0, 1),
        reduce=BlockTiming(6, 3),
    ),
]


def as_kind(stream: Sequence[Stamped], kind: StreamKind) -> list[Stamped]:
    """Damage puts integers everywhere; in a value stream they are values."""
    if kind is not StreamKind.VAL:
        return list(stream)
    return [(float(token) if isinstance(token, int) else token, stamp) for token, stamp in stream]


UNSORTED: Outcome = NodeStats("coordinates that do not rise", 0, 0), []
"""The interpreter refuses them. The chunk core gets its coordinates from scanners only, which have them in order."""


def interpreted(block: Block, streams: Sequence[Sequence[Stamped]], machine: Machine) -> Outcome:
    ports = [Port("source", f"out{number}") for number in range(len(streams))]
    node = Node("unit", block, tuple(ports), Part.COMPUTE)
    inputs = [Channel(str(port), f"unit.{port.name}") for port in ports]
    for channel, stream in zip(inputs, streams, strict=True):
        channel.queue.extend(stream)
        channel.closed = True
    outputs = [Channel(f"unit.{spec.name}", None, record=[]) for spec in block.outputs]
    units: list[PlainUnit] = build(node, inputs, outputs, Surroundings(TENSORS, machine, Written()))
    try:
        run_plain(units)
    except SimulationError as fault:
        return UNSORTED if "must rise" in str(fault) else None
    stats = node_stats("unit", [(unit.clock, unit.busy, unit.counters) for unit in units])
    return stats, [list(channel.record or []) for channel in outputs]


def source(number: int, kind: StreamKind, tokens: Sequence[Stamped], chunk: int) -> Unit:
    """A unit that writes ``tokens`` as room comes."""
    out = Stream(Port(f"source{number}", "ref"), kind, chunk)
    words = [word for token, stamp in tokens for word in (pack(token, kind), stamp)]
    state = np.zeros(HEADS + 4, np.int64)
    place = 0

    def step() -> None:
        nonlocal place
        count = min(out.size - out.tail, len(tokens) - place)
        start = FIRST_TOKEN + 2 * out.tail
        out.buffer[start : start + 2 * count] = words[2 * place : 2 * (place + count)]
        out.buffer[0] += count
        place += count
        state[STATUS] = FINISHED if place == len(tokens) else FULL

    return Unit(Node(f"source{number}", Root("T"), (), Part.ITERATION), state, (), [out], step)


def pack(token: Token, kind: StreamKind) -> int:
    if isinstance(token, Stop):
        return -1 - token.level
    if isinstance(token, int | float):
        return int(np.float32(token).view(np.uint32)) if kind is StreamKind.VAL else int(token)
    return PACKED_EMPTY if token is EMPTY else PACKED_DONE


def compiled(
    block: Block, kinds: Sequence[StreamKind], streams: Sequence[Sequence[Stamped]], machine: Machine, chunk: int
) -> Outcome:
    units = [
        source(number, kind, stream, chunk) for number, (kind, stream) in enumerate(zip(kinds, streams, strict=True))
    ]
    inputs = [unit.outputs[0] for unit in units]
    records: list[list[Stamped]] = [[] for _ in block.outputs]
    outputs = [
        Stream(Port("unit", spec.name), spec.kinds[0], chunk, recorder_of(record, spec.kinds[0]))
        for spec, record in zip(block.outputs, records, strict=True)
    ]
    state = np.zeros(HEADS + max(len(inputs), 4), np.int64)
    for number, stream in enumerate(inputs):
        stream.add_reader(state, number)
    node = Node("unit", block, tuple(stream.port for stream in inputs), Part.COMPUTE)
    unit = build_unit(node, state, inputs, outputs, TENSORS, machine)
    try:
        run([*units, unit])
    except SimulationError:
        return None
    return unit.stats(), records


def check(
    rng: random.Random, block: Block, streams: Sequence[Sequence[Token]], kinds: Sequence[StreamKind] = ()
) -> tuple[int, int]:
    """Both agree on ``streams`` and on damaged copies of them; returns how many ran and how many were refused."""
    kinds = kinds or [spec.kinds[0] for spec in block.inputs]
    ran = refused = 0
    for damage in range(4):
        stamps = [jitter(rng, damaged(rng, stream) if damage and rng.random() < 0.5 else stream) for stream in streams]
        machine = rng.choice(MACHINES)
        stamps = [as_kind(stream, kind) for stream, kind in zip(stamps, kinds, strict=True)]
        expected = interpreted(block, stamps, machine)
        if expected is UNSORTED:
            continue
        for chunk in (1, rng.choice([3, 5, 16]), 100):
            found = compiled(block, kinds, stamps, machine, chunk)
            assert repr(found) == repr(expected), (block, stamps, machine, chunk)  # by text: NaN is not equal to NaN
        ran += expected is not None
        refused += expected is None
    return ran, refused


def jitter(rng: random.Random, stream: Sequence[Token]) -> list[Stamped]:
    clock, stamps = 0, []
    for token in stream:
        clock += rng.choice([0, 1, 1, 1, 2, 7])
        stamps.append((token, max(1, clock + rng.choice([0, 0, 0, 5, -3]))))
    return stamps


def damaged(rng: random.Random, stream: Sequence[Token]) -> list[Token]:
    changed = list(stream)
    place = rng.randrange(len(changed))
    change = rng.randrange(4)
    if change == 0 and place < len(changed) - 1:
        del changed[place]
    elif change == 1:
        changed.insert(place, rng.choice([Stop(0), Stop(1), 2, EMPTY]))
    elif place < len(changed) - 1:
        changed[place] = rng.choice([Stop(0), Stop(1), Stop(2), 1, 3, EMPTY])
    return changed


def levels(rng: random.Random, depth: int) -> list[list[Token]]:
    """The coordinate streams of a random nest, outermost first, and last its values."""
    tree = nest(rng, depth)
    crds = [[*encode(tree, level), DONE] for level in range(1, depth + 1)]
    return [*crds, [*encode(tree, depth, True), DONE]]


def as_values(rng: random.Random, stream: Sequence[Token], empties: float = 0.2) -> list[Token]:
    """Payloads replaced by float32 numbers that round when summed, some of them by ``N``."""
    return [
        (EMPTY if rng.random() < empties else float(np.float32(rng.gauss(0, 1))))
        if isinstance(token, int | float)
        else token
        for token in stream
    ]


def as_refs(rng: random.Random, stream: Sequence[Token], below: int) -> list[Token]:
    return [
        (EMPTY if rng.random() < 0.2 else rng.randrange(below)) if isinstance(token, int | float) else token
        for token in stream
    ]


def test_scanners() -> None:
    rng = random.Random(1)
    for _ in range(60):
        refs = as_refs(rng, levels(rng, rng.choice([1, 2, 3]))[-1], 6)
        for missing in Missing:
            check(rng, LevelScanner("T", 1, "j", None, missing), [refs])
            check(rng, LevelScanner("V", 0, "j", rng.choice([0, 1, 4]), missing), [refs])


def test_repeat() -> None:
    rng = random.Random(2)
    for _ in range(80):
        *_, data, signal, _ = levels(rng, rng.choice([2, 3]))
        for missing in Missing:
            check(rng, Repeat("j", StreamKind.REF, missing), [as_refs(rng, data, 9), signal])


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("join", list(Join))
def test_joiners(join: Join, count: int) -> None:
    """Operands have the same outer levels and random innermost fibers."""
    rng = random.Random(count)
    refused = 0
    for _ in range(60):
        outer = levels(rng, 2)[-1]
        streams: list[list[Token]] = []
        kinds: list[StreamKind] = []
        for number in range(count):
            crd: list[Token] = []
            for token in outer:
                if isinstance(token, Stop) or token is DONE:
                    crd.append(token)
                else:
                    crd += sorted(rng.sample(range(9), rng.randrange(4)))
            value = number % 2 == 1
            streams += [crd, as_values(rng, crd) if value else as_refs(rng, crd, 50)]
            kinds += [StreamKind.CRD, StreamKind.VAL if value else StreamKind.REF]
        block = Joiner(join, "j", tuple(kinds[1::2]))
        refused += check(rng, block, streams, kinds)[1]
    assert refused


def test_locate() -> None:
    rng = random.Random(3)
    for _ in range(80):
        above, crd, _ = levels(rng, 3)[1:]
        refs = as_refs(rng, crd, 30)
        check(rng, Locate("V", 0, "j", 4), [refs, crd])
        check(rng, Locate("V", 0, "j", 4, True), [refs, crd, as_refs(rng, above, 7)])


def test_arrays_and_alus() -> None:
    rng = random.Random(4)
    for _ in range(40):
        shape = levels(rng, 2)[-1]
        check(rng, Array("V"), [as_refs(rng, shape, 12)])
        for op in BinaryOp:
            check(rng, BinaryALU(op), [as_values(rng, shape), as_values(rng, shape)])
        for unary in UnaryOp:
            check(rng, UnaryALU(unary, 1.7), [as_values(rng, shape)])


@pytest.mark.parametrize("op", list(ReduceOp))
def test_reduce(op: ReduceOp) -> None:
    rng = random.Random(5)
    for _ in range(80):
        *_, above, _, values = levels(rng, rng.choice([2, 3]))
        values = as_values(rng, values)
        check(rng, Reduce(op), [values])
        check(rng, Reduce(op, True), [values, above])


@pytest.mark.parametrize("order", [1, 2])
def test_accumulators(order: int) -> None:
    rng = random.Random(6)
    ran = refused = 0
    for _ in range(150):
        streams = levels(rng, order + 1 + rng.choice([0, 1, 2]))
        crds = streams[-2 : -3 - order : -1]
        block = SparseAccumulator("k", ("i", "j")[:order], (8, 8)[:order])
        counts = check(rng, block, [*crds, as_values(rng, streams[-1], 0.0)])
        ran, refused = ran + counts[0], refused + counts[1]
    assert min(ran, refused) > 100


def test_writers() -> None:
    rng = random.Random(7)
    for _ in range(40):
        *_, crd, values = levels(rng, 2)
        check(rng, CrdWriter("X", 0, "i"), [crd])
        check(rng, ValWriter("X"), [as_values(rng, values)])
