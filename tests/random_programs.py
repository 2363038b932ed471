"""Random small programs with data: for comparing every stage with the dense interpreter."""

import random
from dataclasses import replace
from itertools import islice, permutations

import numpy as np

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Mask,
    Product,
    Program,
    ReduceOp,
    Reduction,
    Statement,
    Tensor,
    Unary,
    UnaryOp,
    interpret,
    masked_tensors,
    verify,
)
from fuseflow.einsum.masks import default_format
from fuseflow.formats import FiberTree, Format
from fuseflow.fusion import fuse
from fuseflow.models import Model
from fuseflow.schedule import Iteration, Lanes, Region, Scatter, Schedule

INDICES = "ijklm"
USUAL_SIZES = {"i": 3, "j": 4, "k": 2, "l": 3, "m": 1}
UNARY = (
    (UnaryOp.RELU, 0.0),
    (UnaryOp.NEG, 0.0),
    (UnaryOp.EXP, 0.0),
    (UnaryOp.TANH, 0.0),
    (UnaryOp.SIGMOID, 0.0),
    (UnaryOp.MUL_SCALAR, 0.5),
    (UnaryOp.ADD_SCALAR, 1.5),
    (UnaryOp.DIV_SCALAR, 2.0),
    (UnaryOp.IDENTITY, 0.0),
)
MOST_INDICES = 4
"""Order of the largest tensor."""


def random_model(seed: int, statements: int = 4) -> Model:
    """A program of up to ``statements`` statements on tensors of order 0 to 4, deterministic in ``seed``.

    Some dimensions have size 1 or 0, some operands store nothing, and some programs have several results.
    """
    rng = np.random.default_rng(seed)
    sizes = dict(USUAL_SIZES)
    if rng.random() < 0.3:
        sizes |= {index: int(rng.choice([0, 1, 2, 3, 5], p=[0.1, 0.3, 0.2, 0.2, 0.2])) for index in INDICES}
    inputs: dict[str, tuple[str, ...]] = {}
    known: list[Access] = []
    made: list[Statement] = []

    def leaf() -> Access:
        order = int(rng.choice([0, 1, 1, 2, 2, 2, 2, 3, 3, 4]))
        indices = tuple(str(name) for name in rng.choice(list(INDICES), size=order, replace=False))
        access = Access(f"A{len(inputs)}", indices)
        inputs[access.tensor] = indices
        return access

    def operand() -> Access:
        if known and rng.random() < 0.65:
            return known[int(rng.integers(len(known)))]
        if inputs and rng.random() < 0.3:
            name = list(inputs)[int(rng.integers(len(inputs)))]
            return Access(name, inputs[name])
        return leaf()

    def expression() -> tuple[tuple[str, ...], Expression]:
        first = operand()
        kind = rng.choice(["product", "product", "product", "binary", "binary", "unary", "reduce", "mask"])
        if kind == "unary" or (kind == "reduce" and not first.indices):
            op, scalar = UNARY[int(rng.integers(len(UNARY)))]
            return first.indices, Unary(op, first, scalar)
        if kind == "reduce":
            kept = tuple(name for name in first.indices if rng.random() < 0.5)
            kept = kept if len(kept) < len(first.indices) else kept[1:]
            folded = [sizes[name] for name in first.indices if name not in kept]
            summed = rng.random() < 0.7 or 0 in folded  # the maximum of nothing is not defined
            return kept, Reduction(ReduceOp.SUM if summed else ReduceOp.MAX, first)
        second = leaf() if kind == "mask" else operand()
        union = tuple(dict.fromkeys((*first.indices, *second.indices)))
        if len(union) > MOST_INDICES:
            return first.indices, Unary(UnaryOp.RELU, first)
        if kind == "mask":
            return union, Mask(first, second)
        if kind == "binary":
            op = (BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MAX, BinaryOp.MIN)[int(rng.integers(4))]
            return union, Binary(op, first, second)
        kept = tuple(name for name in union if rng.random() < 0.65)
        return kept, Product(first, second)

    for number in range(int(rng.integers(1, statements + 1))):
        indices, body = expression()
        order = tuple(str(name) for name in rng.permutation(indices)) if indices else ()
        output = Access(f"T{number}", order)
        made.append(Statement(output, body))
        known.append(output)
    results = {made[-1].name}
    if len(made) > 1 and rng.random() < 0.3:
        results.add(made[int(rng.integers(len(made) - 1))].name)
    needed = set(results)
    kept_statements: list[Statement] = []
    for statement in reversed(made):
        if statement.name in needed:
            kept_statements.insert(0, statement)
            needed |= {access.tensor for access in statement.operands}
    used = {access.tensor for statement in kept_statements for access in statement.operands}
    tensors: list[Tensor] = []
    data: dict[str, FiberTree] = {}
    for name, indices in inputs.items():
        if name not in used:
            continue
        shape = tuple(sizes[index] for index in indices)
        layout = _format(rng, len(shape))
        values = rng.integers(-3, 4, size=shape).astype(np.float32)
        values *= rng.random(shape) < rng.choice([0.0, 0.3, 0.7, 1.0], p=[0.05, 0.4, 0.35, 0.2])
        tensors.append(Tensor(name, shape, layout))
        data[name] = FiberTree.from_dense(values.astype(np.float32), layout)
    for statement in kept_statements:
        shape = tuple(sizes[index] for index in statement.output.indices)
        tensors.append(Tensor(statement.name, shape, _format(rng, len(shape), dense=0.6)))
    outputs = tuple(statement.name for statement in kept_statements if statement.name in results)
    draft = Program(tuple(tensors), tuple(kept_statements), outputs)
    stored = [
        Tensor(item.name, item.shape, default_format(item.order, True)) if item.name in masked_tensors(draft) else item
        for item in tensors
    ]
    program = Program(tuple(stored), draft.statements, draft.outputs)
    verify(program)

    def reference() -> dict[str, np.ndarray]:
        result = interpret(program, data)
        return {name: result[name] for name in outputs}

    return Model(f"random{seed}", program, data, reference, "the dense interpreter")


def random_schedules(model: Model, seed: int) -> list[Schedule]:
    """Presets, a random partition, and the whole in random orders, iterated globally, and with an order of a statement."""
    rng = random.Random(seed)
    full = Schedule.full(model)
    names = full.regions[0].statements
    groups: dict[int, list[str]] = {}
    for name in names:
        groups.setdefault(rng.randrange(3), []).append(name)
    partition = tuple(Region(f"r{key}", tuple(group)) for key, group in groups.items())
    made = [full, Schedule.unfused(model), Schedule("partition", partition)]
    made.append(Schedule("global", (Region("all", names, iteration=Iteration.GLOBAL),)))
    statement = model.program.statement(rng.choice(names))
    asked = rng.sample(statement.indices, len(statement.indices))
    made.append(Schedule("asked", (Region("all", names, orders=((statement.name, tuple(asked)),)),)))
    fused = fuse(model.program, full.regions[0])
    wide = [name for name in fused.partial_order.variables if fused.extents[name] > 1]
    if wide:
        spread = {rng.choice(wide): rng.choice(list(Scatter)) for _ in range(2)}
        lanes = tuple(Lanes(name, rng.randint(1, min(3, fused.extents[name])), how) for name, how in spread.items())
        made.append(Schedule("lanes", (Region("all", names, lanes=lanes),)))
    if fused.partial_order.acyclic:
        orders = list(islice(fused.orders(), 200))
        for order in rng.sample(orders, min(3, len(orders))):
            made.append(Schedule("ordered", (Region("all", names, order),)))
    return made


def with_random_lanes(model: Model, schedule: Schedule, seed: int) -> Schedule:
    """``schedule`` with every region that has a choice spread over two or three lanes of one or two index variables."""
    rng = random.Random(seed)
    regions: list[Region] = []
    for region in schedule.regions:
        fused = fuse(model.program, region)
        wide = [name for name in fused.partial_order.variables if fused.extents[name] > 1]
        chosen = rng.sample(wide, min(len(wide), rng.randint(1, 2)))
        lanes = [Lanes(name, rng.randint(2, min(3, fused.extents[name])), rng.choice(list(Scatter))) for name in chosen]
        regions.append(replace(region, lanes=tuple(lanes)))
    return Schedule(f"{schedule.name} in lanes", tuple(regions))


def _format(rng: np.random.Generator, order: int, dense: float = 0.4) -> Format:
    letters = "".join("d" if rng.random() < dense else "c" for _ in range(order))
    orders = list(permutations(range(order)))
    chosen = orders[0] if rng.random() < 0.6 else orders[int(rng.integers(len(orders)))]
    base = Format.parse(letters, order) if order else Format.dense(0)
    return Format(base.levels, chosen)
