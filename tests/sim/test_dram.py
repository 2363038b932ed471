"""Our model of HBM2: rows, banks, bursts, the bus and the limit, by hand."""

import numpy as np
import pytest

from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import DramTiming, Machine, Memory, Result, interpret
from fuseflow.sim.blocks.dram import Dram
from tests.sim import graphs
from tests.sim.equality import compare

TIMING = DramTiming(
    channels=2, banks=2, row_bytes=64, burst_bytes=16, burst_cycles=2, activate_cycles=10, precharge_cycles=20,
    column_cycles=5, active_cycles=40, transport_cycles=3, outstanding=4,
)  # fmt: skip
OPEN = 10 + 5 + 2
"""A burst that opens its row: activate, column, burst."""


def answers(requests: list[tuple[int, tuple[int, ...]]], timing: DramTiming = TIMING) -> tuple[list[int], Dram]:
    """Stamps of the answers to requests (stamp, addresses), each from a client of its own."""
    dram = Dram(timing)
    ports = [dram.reader(f"client {number}") for number in range(len(requests))]
    for port, (stamp, addresses) in zip(ports, requests, strict=True):
        port.asked = addresses
        port.requests.put(len(addresses), stamp)
    while dram.step():
        pass
    return [port.answers.queue[-1][1] for port in ports], dram


def test_a_row_is_opened_once() -> None:
    found, dram = answers([(0, (0,)), (100, (32,))])  # bursts 0 and 2: channel 0, row 0
    assert found == [3 + OPEN + 3, 103 + 5 + 2 + 3]
    assert (dram.bursts, dram.row_hits) == (2, 1)


def test_another_row_of_the_bank_closes_the_open_one() -> None:
    row = 2 * 64 * 2  # both channels, both banks further on
    found, dram = answers([(0, (0,)), (100, (row,))])
    assert found[1] == 103 + 20 + OPEN + 3
    assert dram.row_hits == 0
    found, _ = answers([(0, (0,)), (1, (row,))])
    assert found[1] == 3 + 40 + 20 + OPEN + 3  # open for 40 cycles first


def test_other_banks_and_channels_do_not_wait() -> None:
    found, _ = answers([(0, (0,)), (0, (2 * 64,)), (0, (16,))])  # bank 0, bank 1, the other channel
    assert found == [23, 25, 23]  # the second waits for the bus of its channel only


def test_words_of_a_burst_travel_together() -> None:
    found, dram = answers([(0, (0, 4, 8, 12))])
    assert found == [23]
    assert dram.bursts == 1
    found, dram = answers([(0, tuple(range(0, 32, 4)))])  # two bursts, one per channel
    assert found == [23]
    assert dram.bursts == 2


def test_the_limit_of_bursts_under_way() -> None:
    one = DramTiming(1, 1, 1 << 20, 4, 2, 10, 20, 5, 40, 3, outstanding=1)
    four = DramTiming(1, 1, 1 << 20, 4, 2, 10, 20, 5, 40, 3, outstanding=4)
    requests = [(0, (4 * number,)) for number in range(4)]
    assert answers(requests, one)[0] == [23 + 7 * number for number in range(4)]
    assert answers(requests, four)[0] == [23 + 2 * number for number in range(4)]


def test_parameters_are_checked() -> None:
    with pytest.raises(SimulationError, match="banks of a memory must be from 1 to 2147483648, not 0"):
        DramTiming(banks=0)
    with pytest.raises(SimulationError, match="a row of 100 bytes must hold a whole number of bursts of 32 bytes"):
        DramTiming(row_bytes=100)
    with pytest.raises(SimulationError, match="column_cycles of a memory must be from 0 to 2147483648, not -1"):
        DramTiming(column_cycles=-1)


def test_more_channels_and_longer_rows_are_not_slower() -> None:
    rng = np.random.default_rng(3)
    a, b = ((rng.random(shape) < 0.4).astype(np.float32) for shape in ((12, 10), (10, 14)))
    tensors = {"A": FiberTree.from_dense(a, Format.parse("cc", 2)), "B": FiberTree.from_dense(b, Format.parse("cc", 2))}
    graph = graphs.gustavson((12, 14))
    cycles = []
    for memory in (Memory.hbm2(DramTiming(channels=1, banks=1, row_bytes=32)), Memory.hbm2()):
        found = compare(graph, tensors, Machine(memory=memory))
        assert isinstance(found, Result)
        np.testing.assert_array_equal(found.output.to_dense(), a @ b)
        cycles.append(found.cycles)
    assert cycles[0] > cycles[1] > interpret(graph, tensors).cycles


def test_pipelined_machine_charges_the_free_turns() -> None:
    """X = A * B with an accumulator: one cycle more per value that is flushed, on the critical path here."""
    a = np.ones((1, 1), np.float32)
    b = np.ones((1, 5), np.float32)
    tensors = {"A": FiberTree.from_dense(a, Format.parse("cc", 2)), "B": FiberTree.from_dense(b, Format.parse("cc", 2))}
    graph = graphs.gustavson((1, 5))
    free, charged = interpret(graph, tensors), interpret(graph, tensors, Machine.pipelined())
    busy = charged.node("sum_k").busy_cycles - free.node("sum_k").busy_cycles
    assert busy == 5
    assert charged.node("write_val").busy_cycles == free.node("write_val").busy_cycles + 1  # its one stop
    assert charged.cycles > free.cycles
    assert isinstance(compare(graph, tensors, Machine.pipelined()), Result)
    with pytest.raises(SimulationError, match="flush_cycles of a machine must be from 0 to 2147483648, not -1"):
        from fuseflow.sim import TurnTiming

        TurnTiming(flush_cycles=-1)
