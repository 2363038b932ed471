"""Compiled == interpreted: outputs, streams with stamps, clocks and counters, or the same kind of error."""

from dataclasses import replace

import numpy as np

from fuseflow.dataflow.graph import Graph
from fuseflow.errors import DeadlockError, FuseflowError
from fuseflow.formats import FiberTree
from fuseflow.sim import Core, Machine, Result, interpret
from fuseflow.sim.engine import simulate
from fuseflow.sim.engine_limits import needs_tokens
from fuseflow.sim.tokenwise.simulate import simulate_tokenwise


def same(found: Result, wanted: Result, what: str) -> None:
    """Assert that two runs are one; NaN equals NaN whatever its bits."""
    assert found.cycles == wanted.cycles, what
    assert found.nodes == wanted.nodes, what
    if wanted.streams is not None and found.streams is not None:
        assert found.streams.keys() == wanted.streams.keys(), what
        for port, stream in wanted.streams.items():
            assert repr(found.streams[port]) == repr(stream), f"{what}, {port}"
    assert found.outputs.keys() == wanted.outputs.keys(), what
    for name, tree in wanted.outputs.items():
        np.testing.assert_array_equal(found.outputs[name].to_dense(), tree.to_dense(), err_msg=what)


def outcome(graph: Graph, tensors: dict[str, FiberTree], machine: Machine) -> Result | FuseflowError:
    """What the interpreter makes of it."""
    try:
        return interpret(graph, tensors, machine, record=True)
    except FuseflowError as error:
        return error


def compare(
    graph: Graph,
    tensors: dict[str, FiberTree],
    machine: Machine,
    slices: tuple[int, ...] = (1 << 20, 7),
    chunks: tuple[int, ...] = (1 << 14, 3),
    threads: tuple[int, ...] = (1,),
) -> Result | FuseflowError:
    """Every core, size of slice or chunk and number of threads does what the interpreter does, which is returned."""
    wanted = outcome(graph, tensors, machine)
    for slice_operations in slices:
        what = f"token core, slices of {slice_operations}"
        if isinstance(wanted, Result):
            found = simulate_tokenwise(graph, tensors, machine, record=True, slice_operations=slice_operations)
            same(found, wanted, what)
            bare = simulate_tokenwise(graph, tensors, machine, slice_operations=slice_operations)
            same(bare, wanted, f"{what}, nothing recorded")  # ports that nobody reads have no channel then
        else:
            raises(wanted, lambda: simulate_tokenwise(graph, tensors, machine, record=True), what)
    if needs_tokens(graph, machine) is None:
        for chunk in chunks:
            what = f"chunk core, chunks of {chunk}"
            if isinstance(wanted, Result):
                same(simulate(graph, tensors, machine, record=True, chunk_tokens=chunk, core=Core.CHUNK), wanted, what)
                for count in threads:  # without a recording more of it runs on records, which threads share
                    found = simulate(graph, tensors, machine, chunk_tokens=chunk, threads=count, core=Core.CHUNK)
                    same(found, wanted, f"{what}, {count} threads, nothing recorded")
            else:
                raises(wanted, lambda: simulate(graph, tensors, machine, core=Core.CHUNK), what, texts=False)
    return wanted


def raises(wanted: FuseflowError, run: object, what: str, texts: bool = True) -> None:
    """Assert that ``run`` fails as ``wanted`` says: the same class, and the same first words if ``texts``.

    Without ``texts``, the same block at least: the chunk core runs units in another order, and may see another of
    several faults of it first.
    """
    assert callable(run)
    try:
        run()
    except FuseflowError as error:
        assert type(error) is type(wanted), f"{what}: {error!r}, not {wanted!r}"
        if not isinstance(wanted, DeadlockError):
            words, theirs = (str(fault).partition(":")[0] if texts else _block(str(fault)) for fault in (error, wanted))
            assert words == theirs, f"{what}: {error}, not {wanted}"
        return
    raise AssertionError(f"{what}: no error, but the interpreter says {wanted!r}")


def _block(text: str) -> str:
    """The block that a fault is of: its first word."""
    return text.partition(" ")[0].rstrip(",:")


def bounded(machine: Machine, capacity: int | None) -> Machine:
    return replace(machine, channel_capacity=capacity)
