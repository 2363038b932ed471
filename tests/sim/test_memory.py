"""High-bandwidth memory: hand-counted round trips, and the machine that has one."""

import numpy as np
import pytest

from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import Core, Machine, Memory, MemoryKind, Result, interpret, simulate
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.controller import Controller
from fuseflow.sim.blocks.memory_clients import fetch_stored, write_val_stored
from fuseflow.sim.channel import Channel
from fuseflow.sim.interpret import run
from fuseflow.sim.machine import BlockTiming
from tests.dataflow.graphs import spmm
from tests.sim import graphs
from tests.sim.equality import compare
from tests.sim.harness import show, stamped


def fetched(controller: Controller, text: str, count: int) -> tuple[Unit, str]:
    source, out = Channel("test", "array.ref"), Channel("array.val", None, record=[])
    unit = Unit("array", [source], [out])
    source.queue.extend(stamped(text))
    values = np.arange(count, dtype=np.float32)
    unit.process = fetch_stored(unit, values, BlockTiming(), controller.reader("array"))
    run([unit], controller)
    return unit, show(out.record or [])


def test_the_array_of_the_reference() -> None:
    """The worked example of simulator Appendix A."""
    memory = Memory.hbm(latency_cycles=4, start_up_cycles=10)
    unit, out = fetched(Controller(memory), "1@1 2@2 1@3 D@4", 4)
    assert out == "1@22 2@22 1@22 D@22"
    assert unit.clock == 21


def test_a_round_trip_takes_19_cycles() -> None:
    unit, out = fetched(Controller(Memory.hbm()), "0@1 D@1", 4)
    assert out == "0@22 D@22"
    assert unit.clock == 2 + 19


def test_one_channel_answers_one_after_another() -> None:
    unit, _ = fetched(Controller(Memory.hbm(channels=1)), "0@1 1@1 2@1 D@1", 4)
    assert unit.clock == 4 + 19 + 2 * 2


def test_values_are_written_one_by_one() -> None:
    controller = Controller(Memory.hbm())
    source = Channel("test", "write.val")
    unit = Unit("write", [source], [])
    source.queue.extend(stamped("3@1 4@1 S0@1 D@1"))
    written: list[float] = []
    unit.process = write_val_stored(unit, written, controller.writer("write"))
    run([unit], controller)
    assert written == [3.0, 4.0]
    assert unit.clock == 1 + 2 * 20 + 1


def test_readers_are_served_before_writers() -> None:
    """Both ask in one cycle; the reader gets channel 0, and the writer, with the one channel there is, waits for it."""
    controller = Controller(Memory.hbm(channels=1))
    clocks = {}

    def client(unit: Unit, reads: bool) -> Process:
        port = (controller.reader if reads else controller.writer)(unit.name)
        return port.access(unit, (0,))

    units = [Unit("write", [], []), Unit("read", [], [])]
    for unit in units:
        unit.process = client(unit, unit.name == "read")
    run(units, controller)
    clocks = {unit.name: unit.clock for unit in units}
    assert clocks == {"read": 19, "write": 21}


def operands() -> dict[str, FiberTree]:
    rng = np.random.default_rng(3)
    shapes = {"A": (3, 5), "X": (5, 4)}
    dense = {name: rng.standard_normal(shape) * (rng.random(shape) < 0.6) for name, shape in shapes.items()}
    return {
        name: FiberTree.from_dense(array.astype(np.float32), Format.parse("cc", 2)) for name, array in dense.items()
    }


def test_a_graph_on_memory_computes_the_same_later() -> None:
    ideal = interpret(spmm(), operands())
    stored = interpret(spmm(), operands(), Machine(memory=Memory.hbm()))
    assert np.array_equal(ideal.output.to_dense(), stored.output.to_dense())
    assert (ideal.bytes, ideal.flops) == (stored.bytes, stored.flops)
    assert stored.cycles > ideal.cycles + 20
    assert interpret(spmm(), operands(), Machine(memory=Memory.hbm())).cycles == stored.cycles
    assert interpret(spmm(), operands(), Machine(memory=Memory.hbm(), channel_capacity=64)).cycles == stored.cycles


def test_the_token_core_has_it() -> None:
    machine = Machine(memory=Memory.hbm())
    with pytest.raises(SimulationError, match=r"machine .* which the chunk core cannot run"):
        simulate(spmm(), operands(), machine, core=Core.CHUNK)
    assert isinstance(compare(spmm(), operands(), machine), Result)


@pytest.mark.parametrize("machine", [Machine.block(16), Machine.true_block(16)])
@pytest.mark.parametrize("core", [Core.CHUNK, Core.TOKEN])
def test_block_machines_in_both_cores(machine: Machine, core: Core) -> None:
    found, wanted = simulate(spmm(), operands(), machine, core=core), interpret(spmm(), operands(), machine)
    assert (found.cycles, found.nodes) == (wanted.cycles, wanted.nodes)


def test_parameters() -> None:
    assert Machine().memory == Memory.ideal()
    assert Memory.hbm() == Memory(MemoryKind.HBM, 8, 2, 2, 14)
    with pytest.raises(SimulationError, match=r"channels of a memory must be from 1 to 2147483648, not 0"):
        Memory.hbm(channels=0)
    with pytest.raises(SimulationError, match=r"start_up_cycles of a memory must be from 0 to 2147483648, not -1"):
        Memory.hbm(start_up_cycles=-1)


def test_block_timing_is_the_table_of_the_reference() -> None:
    assert Machine.scalar() == Machine()
    block, true = Machine.block(16), Machine.true_block(16)
    assert (block.array, block.product, block.binary) == (BlockTiming(256), BlockTiming(256, 16), BlockTiming(256))
    assert (block.unary, block.reduce) == (BlockTiming(16), BlockTiming(1))
    assert (true.array, true.product, true.binary) == (BlockTiming(256), BlockTiming(31, 16), BlockTiming(256))
    assert (true.unary, true.reduce) == (BlockTiming(16), BlockTiming(256))
    assert block.value_bytes == true.value_bytes == 1024
    with pytest.raises(SimulationError, match=r"a block has a side of 1 or more, not 0"):
        Machine.block(0)


def test_only_summed_products_are_matrix_products() -> None:
    """In spmm the product goes to an accumulator: its turns are 16 cycles apart."""
    result = interpret(spmm(), operands(), Machine.block(16))
    plain = interpret(spmm(), operands())
    assert result.node("mul").busy_cycles == 16 * plain.node("mul").busy_cycles
    assert np.array_equal(result.output.to_dense(), plain.output.to_dense())


@pytest.mark.parametrize("memory", [Memory.hbm(), Memory.hbm2()])
def test_a_port_that_nobody_reads(memory: Memory) -> None:
    """Its unit ends before the memory has answered the last requests (of the writer)."""
    graph = graphs.inner_product((9, 5), True)
    dense = np.random.default_rng(0).standard_normal((9, 8)).astype(np.float32), np.ones((8, 5), np.float32)
    formats = Format.parse("cc", 2), Format.parse("cc:1,0", 2)
    tensors = {name: FiberTree.from_dense(*pair) for name, *pair in zip("AB", dense, formats, strict=True)}
    compare(graph, tensors, Machine(memory=memory))
