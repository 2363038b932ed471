"""How many schedules a space holds, against writing them all down: what is the same schedule counts once."""

import dataclasses
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import FuseflowError, ScheduleError
from fuseflow.explore import Partitions, Space
from fuseflow.explore.associate import associations
from fuseflow.explore.space import Lattice, OrderCounts
from fuseflow.explored import found_schedule
from fuseflow.fusion import FusedRegion, fuse
from fuseflow.lowering import lower
from fuseflow.schedule import GraphPass, Region, Schedule, check

FACTORED, GLOBAL = ff.Iteration.FACTORED, ff.Iteration.GLOBAL
BOTH = (FACTORED, GLOBAL)


def model_of(text: str) -> ff.Model:
    rng = np.random.default_rng(0)
    names = [name for name in "ABXWZ" if f"{name}[" in text]
    data = {name: (rng.random((6, 6)) * (rng.random((6, 6)) < 0.4)).astype(np.float32) for name in names}
    return ff.einsum(text, **{name: ff.FiberTree.from_dense(values, "dc") for name, values in data.items()})


CHAIN = model_of("T[i,j] = A[i,k] * X[k,j]\nR[i,j] = relu(T[i,j])\nS[i,l] = R[i,j] * W[j,l]\nY[i,m] = S[i,l] * Z[l,m]")
DIAMOND = model_of(
    "T[i,j] = A[i,k] * X[k,j]\nU[i,j] = relu(T[i,j])\nV[i,l] = B[i,j] * Z[j,l]\nY[i,l] = U[i,j] * V[j,l]"
)


def partitions(names: tuple[str, ...]) -> Iterator[list[tuple[str, ...]]]:
    if not names:
        yield []
        return
    for chosen in product((False, True), repeat=len(names) - 1):
        group = (names[0], *(name for name, mine in zip(names[1:], chosen, strict=True) if mine))
        for rest in partitions(tuple(name for name in names if name not in group)):
            yield [group, *rest]


def written_down(model: ff.Model, space: Space) -> set[object]:
    """Every schedule of ``space`` without blocks and associations: by region, dataflow order, graph, lanes and passes.

    Styles are told apart by their graphs.
    """
    names = tuple(statement.name for statement in model.program.computations)
    outside = set(
        product(
            {machine for machine in space.machines},
            product(
                *({model.tensors[name].convert(text).format for text in space.formats[name]} for name in space.formats)
            ),
        )
    )
    found: set[object] = set()
    for groups in partitions(names):
        places = [[names.index(name) for name in group] for group in groups]
        if Partitions.of(space.partitions) is Partitions.CONTIGUOUS and any(
            max(p) - min(p) + 1 != len(p) for p in places
        ):
            continue
        try:
            check(Schedule("all", tuple(Region(group[-1], group) for group in groups)), model.program)
        except FuseflowError:
            continue
        for regions in product(*(region_choices(model, space, group) for group in groups)):
            found |= {(frozenset(regions), rest) for rest in outside}
    return found


def region_choices(model: ff.Model, space: Space, group: tuple[str, ...]) -> set[tuple[object, ...]]:
    found: set[tuple[object, ...]] = set()
    for style in space.iterations:
        fused = fuse(model.program, Region("one", group, iteration=style))
        indices = [index for index in space.lanes if index in fused.extents]
        lanes = [
            tuple((index, count, scatter) for index, count in zip(indices, counts, strict=True) if count > 1)
            for counts in product(*((1, *space.lanes[index]) for index in indices))
            for scatter in space.scatters
            if np.prod(counts, dtype=int) <= space.most_lanes
        ]
        for order in legal_orders(fused):
            graph = lower(fused, order).graph
            made = hash(tuple((node.name, repr(node.block), node.inputs) for node in graph))
            found |= {(group, order, made, spread, tuple(steps)) for spread in lanes for steps in space.passes}
    return found


def legal_orders(fused: FusedRegion) -> Iterator[tuple[str, ...]]:
    for order in permutations(fused.partial_order.variables):
        if all(order.index(item.outer) < order.index(item.inner) for item in fused.partial_order.constraints):
            yield order


SPACES = [
    Space(),
    Space("legal"),
    Space(iterations=(GLOBAL,)),
    Space(iterations=BOTH),
    Space("legal", iterations=(GLOBAL, FACTORED)),
    Space(iterations=(FACTORED, FACTORED, GLOBAL)),
    Space(iterations=(GLOBAL, GLOBAL)),
    Space(machines=(ff.Machine(), ff.Machine(), ff.Machine.equal_throughput())),
    Space(passes=((), ())),
    Space(passes=((GraphPass.HOIST,), (GraphPass.HOIST,), (GraphPass.DEAD,)), iterations=BOTH),
    Space(formats={"A": ("dc", "csr", "cc")}),
    Space(formats={"A": ("cc", "cc"), "X": ("dd", "dense")}, iterations=BOTH),
    Space(lanes={"i": (1, 2, 2), "j": (2,)}, scatters=(ff.Scatter.BALANCED, ff.Scatter.BALANCED), iterations=BOTH),
    Space(lanes={"k": (3, 2), "j": (2,)}, scatters=tuple(ff.Scatter)[:2], most_lanes=4),
]


@pytest.mark.parametrize("model", [CHAIN, DIAMOND], ids=["chain", "diamond"])
@pytest.mark.parametrize("number", range(len(SPACES)))
def test_a_space_is_counted_exactly(model: ff.Model, number: int, tmp_path: Path) -> None:
    space = SPACES[number]
    found = ff.explore(model, space, budget=1, workers=1, store=tmp_path, kept=1)
    size = found.space_size
    assert size.exact
    assert size.schedules == len(written_down(model, space))


def test_the_search_keeps_to_the_styles_and_passes_of_its_space(tmp_path: Path) -> None:
    """Also where both styles are the same: nothing stands for the one that is asked for, and no preset takes its place."""
    for model in (CHAIN, model_of("Y[i,j] = A[i,k] * X[k,j]")):
        for styles, steps in (((GLOBAL,), ()), ((FACTORED,), (GraphPass.HOIST,)), ((GLOBAL,), (GraphPass.DEAD,))):
            space = Space(iterations=styles, passes=(steps,))
            found = ff.explore(model, space, budget=100, workers=1, store=tmp_path, kept=100, prune=False)
            schedules = [found.schedule(key) for key in found["key"]]
            assert {(region.iteration, region.passes) for one in schedules for region in one.regions} == {
                (*styles, steps)
            }
            assert set(found["status"]) == {"done"}
            assert found.space_size.schedules == len(written_down(model, space))
            # One order per region: every partition is reached, unless a region was pruned for its own cost.
            assert len(found) == found.space_size.partitions
    both = ff.explore(CHAIN, Space(iterations=BOTH), budget=1, workers=1, store=tmp_path)
    assert "partial" in set(both["schedule"]), "a preset is in a space of both styles"
    assert (both.pruned["reason"] == "has no chain of products: both styles are the same").any()


@pytest.mark.parametrize(("matrices", "orders"), [(3, 2), (4, 5), (5, 14), (6, 42), (7, 132)])
def test_all_orders_of_multiplication_are_known(matrices: int, orders: int) -> None:
    """The Catalan numbers."""
    assert len(associations(chain(matrices).program)) == orders
    assert len(associations(chain(matrices).program, 5)) == min(5, orders)


def test_orders_of_multiplication_that_are_not_searched_are_named(tmp_path: Path) -> None:
    model = chain(5)
    few = Space(associations=True, most_associations=3, orders=1)
    found = ff.explore(model, few, budget=1, workers=1, store=tmp_path, kept=1)
    assert not found.space_size.exact
    assert repr(found.space_size).startswith("more than ")
    rows = found.pruned[found.pruned["reason"].str.contains("more than 3 orders, of which the 3 nearest")]
    assert list(rows["statements"]) == ["B_ C_ D_ E_"]
    assert found.refused_blocks == []
    assert "No schedule with the orders of multiplication searched can take less" in found_schedule(found).reason
    counts = [Lattice(one, few).count(OrderCounts(one, few))[1] for one in associations(model.program)]
    assert found.space_size.schedules == sum(counts[:3])
    whole = ff.explore(
        model, dataclasses.replace(few, most_associations=14), budget=1, workers=1, store=tmp_path, kept=1
    )
    assert whole.space_size.exact
    assert "No schedule of the space can take less" in found_schedule(whole).reason
    assert whole.space_size.schedules == sum(counts)
    assert not whole.pruned["reason"].str.contains("orders").any()
    with pytest.raises(ScheduleError, match="most_associations must be 1 or more, not 0"):
        ff.explore(model, Space(associations=True, most_associations=0), store=tmp_path)


def chain(matrices: int) -> ff.Model:
    """A product of ``matrices`` matrices ``A``, ``B`` ... from left to right."""
    names, indices = "ABCDEFG"[:matrices], "ijklmnop"
    lines, before = [], "A"
    for place, name in enumerate(names[1:], 1):
        made = f"{name}_"
        lines.append(
            f"{made}[i,{indices[place + 1]}] = {before}[i,{indices[place]}] * "
            f"{name}[{indices[place]},{indices[place + 1]}]"
        )
        before = made
    return ff.einsum("\n".join(lines), **{name: np.ones((2, 2), np.float32) for name in names})
