"""What unstored elements mean: the words agree with the graphs."""

import fuseflow as ff
from fuseflow.einsum import Unstored
from fuseflow.errors import FusionError
from fuseflow.formats import Fill
from fuseflow.fusion import fuse
from fuseflow.lowering import lower
from fuseflow.schedule import Schedule
from tests.random_programs import random_model


def meanings(text: str, name: str) -> dict[str, tuple[str, ...]]:
    return {item.unstored.value: item.indices for item in ff.parse(text).explain().of(name)}


def test_zero_preserving_operations_skip() -> None:
    assert meanings("A[3,4]: cc\nY[i,j] = relu(A[i,j])", "Y") == {"skipped": ("i", "j")}
    assert meanings("A[3,4]: cc\nB[4]: c\nY[i] = A[i,j] * B[j]", "Y") == {"skipped": ("i", "j")}


def test_operations_that_make_something_of_zero_densify() -> None:
    assert meanings("A[3,4]: cc\nY[i,j] = exp(A[i,j])", "Y") == {"densified": ("i", "j")}
    assert meanings("A[3,4]: cc\nb[4]: d\nY[i,j] = A[i,j] + b[j]", "Y") == {"densified": ("i",), "zero": ("j",)}
    assert meanings("A[3,4]: cc\nY[i] = max[j](A[i,j])", "Y") == {"densified": ("j",), "skipped": ("i",)}


def test_masks_remove() -> None:
    text = "A[3,4]: dd\nM[3,4]: cc\nS[i,j] = mask(A[i,j], M[i,j])\nE[i,j] = exp(S[i,j])\nY[i] = sum[j](E[i,j])"
    for name in ("S", "E", "Y"):
        assert meanings(text, name) == {"absent": ("i", "j")}
    assert "E[i,j] = exp(S[i,j])\n    unstored elements along i, j are absent" in repr(ff.parse(text).explain())


def test_the_graph_scans_every_coordinate_exactly_where_the_words_say_densified() -> None:
    checked = 0
    for seed in range(60):
        model = random_model(seed)
        program = model.program
        for region in Schedule.unfused(program).regions:
            (name,) = region.statements
            views = program.statement(name).operands
            if any(program.tensor(access.tensor).format != _compressed(program, access.tensor) for access in views):
                continue
            unknown = {item.name: (Fill.UNKNOWN,) * item.order for item in program.tensors}
            try:
                graph = lower(fuse(program, region), None, unknown).graph
            except FusionError:
                continue
            scanned = {node.block.index for node in graph if node.name.startswith("scan_all_")}
            said = {
                index
                for item in program.explain().of(name)
                if item.unstored is Unstored.DENSIFIED
                for index in item.indices
            }
            zero = {
                index for item in program.explain().of(name) if item.unstored is Unstored.ZERO for index in item.indices
            }
            masked = any(item.unstored is Unstored.ABSENT for item in program.explain().of(name))
            assert said <= scanned or masked, (seed, name)
            assert scanned <= said | zero or masked, (seed, name)
            checked += 1
    assert checked > 20


def _compressed(program: ff.Program, name: str) -> ff.Format:
    layout = program.tensor(name).format
    order = len(layout.levels)
    return ff.Format(ff.Format.parse("c" * order, order).levels, layout.mode_order)
