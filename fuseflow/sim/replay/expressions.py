"""Cases of expressions recorded from SAM: formats, order and dense inputs in, the dense result out, in both engines.

The expression is compiled here as any other program; nothing but the case is used. Only the result is compared:
SAM's cycles are another machine's. An order that contradicts how an operand is stored asks for that operand in the
other order: a copy of it, permuted, is what the graph then reads. Where no single graph can have the order, there is
one per operator.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, permutations

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import Program, Statement, Tensor, parse
from fuseflow.errors import FormatError, FuseflowError, FusionError, ProgramError, ScheduleError, SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.fusion import fuse
from fuseflow.lowering import Lowered, OnCycle, lower
from fuseflow.schedule import Region
from fuseflow.sim.engine import simulate
from fuseflow.sim.interpret import interpret
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult, Outcome
from fuseflow.sim.result import Result

TOLERANCE = 1e-4
"""Largest difference over the largest expected value that is accepted: sums are made in float32."""

LETTERS = {"d": "d", "s": "c"}
"""Level letters of the recorded formats and ours. SAM calls a compressed level ``s`` (sparse)."""

ORDERS_TRIED = 64

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class ExpressionCase:
    """One case: the program with every tensor declared, its inputs, the order asked for, and the expected result."""

    program: Program
    inputs: Arrays
    order: tuple[str, ...] | None
    expected: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """Graphs that compute a case one after the other, the program with formats as they read them, and notes.

    ``as_asked`` says whether every graph runs in the order that the case asks for.
    """

    program: Program
    lowered: tuple[Lowered, ...]
    as_asked: bool = True
    notes: tuple[str, ...] = ()


def replay_expression(path: str, case: Record) -> CaseResult:
    """Run one case of the schema of ``sam_expressions.json``; DataError if it is not of that schema."""
    name = case.get("id", str)
    read = read_case(case)
    try:
        plan = _plan(read)
        notes = _run(plan, read)
    except FuseflowError as fault:
        return CaseResult(path, name, Outcome.FAILED, (f"does not run: {fault}",))
    if notes:
        return CaseResult(path, name, Outcome.FAILED, notes)
    return CaseResult(path, name, Outcome.PASSED if plan.as_asked else Outcome.KNOWN, plan.notes)


def read_case(case: Record) -> ExpressionCase:
    """The case as a program with data; DataError, naming the field, for anything that does not fit together."""
    expression = case.get("expression", str)
    result, equals, body = (part.strip() for part in expression.partition("="))
    accesses = _accesses(expression)
    output = re.match(r"\w*", result)
    label = output[0] if output else ""
    if not equals or not label or not body:
        raise case.fault(f"expression {expression!r} must be of the form X(i,j)=B(i,k)*C(k,j)")
    inputs = {key: _array(case, key, value, accesses.get(key)) for key, value in case.get("inputs", dict).items()}
    expected = _array(case, "expected_dense", _field(case, "expected_dense"), None).astype(np.float64)
    formats = case.option("formats", dict, {})
    arrays: dict[str, NDArray[np.floating]] = {**inputs, label: expected}
    declared = {
        key: (array.shape, _format(case, key, formats.get(key, ""), array.ndim)) for key, array in arrays.items()
    }
    text = re.sub(r"(\w+)\s*\(([^()]*)\)", lambda found: _bracketed(found, arrays), expression)
    try:
        program = parse(text, declared)
    except ProgramError as fault:
        raise case.fault(f"expression {expression!r} cannot be used: {fault}") from None
    return ExpressionCase(program, inputs, _order(case, program), expected)


def _field(case: Record, key: str) -> object:
    if key not in case.data:
        raise case.fault(f"has no field {key!r}; its fields: {', '.join(case.data) or 'none'}")
    return case.data[key]


def _accesses(expression: str) -> dict[str, int]:
    """How many indices each tensor of the expression is used with."""
    found: dict[str, int] = {}
    for match in re.finditer(r"(\w+)\s*(?:\(([^()]*)\))?", expression):
        if not match[1][0].isdigit():
            found.setdefault(match[1], len([part for part in (match[2] or "").split(",") if part.strip()]))
    return found


def _bracketed(found: "re.Match[str]", arrays: Mapping[str, object]) -> str:
    """``B(i,j)`` as ``B[i,j]``, a scalar ``b()`` as ``b``; a function call stays what it is."""
    name, indices = found[1], found[2].strip()
    if name not in arrays:
        return found[0]
    return f"{name}[{indices}]" if indices else name


def _array(case: Record, key: str, value: object, order: int | None) -> NDArray[np.float32]:
    try:
        array = np.array(value, np.float32)
    except (TypeError, ValueError) as fault:
        raise case.fault(f"{key!r} must be a number or nested lists of numbers, equally long: {fault}") from None
    if order == 0 and array.size == 1:
        return array.reshape(())
    return array


def _format(case: Record, key: str, text: object, order: int) -> Format:
    """``ss01`` and ``ss:0,1``: one letter per level, then the dimensions in storage order."""
    if text in ("none", "", None):
        return Format.dense(order)
    found = re.fullmatch(r"([a-z]*)(?::([\d,]+)|(\d+))?", text) if isinstance(text, str) else None
    unknown = sorted(set(found[1]) - set(LETTERS)) if found else []
    if found is None or unknown:
        raise case.fault(
            f"format {text!r} of {key!r} must be one letter per level ({', '.join(LETTERS)}; d dense, s compressed) "
            f"and the dimensions in storage order, as in ss01 or ss:0,1{f', not {unknown[0]!r}' if unknown else ''}"
        )
    modes = found[2] or ",".join(found[3] or "")
    try:
        return Format.parse("".join(LETTERS[each] for each in found[1]) + (f":{modes}" if modes else ""), order)
    except FormatError as fault:
        raise case.fault(f"format {text!r} of {key!r}: {fault}") from None


def _order(case: Record, program: Program) -> tuple[str, ...] | None:
    """The order asked for; without one None. Index variables that it leaves out follow in order of first use."""
    text = case.option("schedule", str, "")
    named = tuple(part.strip() for part in text.split(",")) if "," in text else tuple(text.strip())
    used = tuple(dict.fromkeys(index for statement in program for index in statement.indices))
    unknown = [index for index in named if index not in used]
    if unknown or len(set(named)) != len(named):
        raise case.fault(
            f"schedule {text!r} must name index variables of the expression, each once: it has {', '.join(used)}"
        )
    return (*named, *(index for index in used if index not in named)) if named else None


def _plan(case: ExpressionCase) -> Plan:
    """Graphs for the case: one in the order asked for if there is such a graph, else one per operator in that order,
    else one in the nearest order that works."""
    names = tuple(statement.name for statement in case.program)
    whole = Region("all", names, case.order)
    faults: list[FuseflowError] = []
    if case.order is None:
        try:
            return Plan(case.program, (_lower(case.program, whole),))
        except FusionError as fault:
            faults.append(fault)
    else:
        stored = _stored_for(case.program, case.order)
        copies = _copies(case.program, stored)
        try:
            return Plan(stored, (_lower(stored, whole),), notes=copies)
        except (ScheduleError, FusionError) as fault:
            faults.append(fault)
        try:
            regions = [_region(statement, case.order) for statement in stored]
            lowered = tuple(_lower(stored, region) for region in regions)
            return Plan(stored, lowered, notes=(*copies, f"one graph per operator: {faults[0]}"))
        except (ScheduleError, FusionError) as fault:
            faults.append(fault)
    for order in islice(_orders(case), ORDERS_TRIED):
        stored = _stored_for(case.program, order)
        try:
            graph = _lower(stored, Region("all", names, order))
        except (ScheduleError, FusionError) as fault:
            faults.append(fault)
            continue
        note = f"run in order {' '.join(order)}: {faults[0]}"
        return Plan(stored, (graph,), case.order is None, (*_copies(case.program, stored), note))
    raise faults[0]


def _region(statement: Statement, order: tuple[str, ...]) -> Region:
    used = set(statement.indices)
    return Region(statement.name, (statement.name,), tuple(index for index in order if index in used))


def _copies(program: Program, stored: Program) -> tuple[str, ...]:
    """A note on the inputs that are read in another mode order than they are given in."""
    given = {tensor.name: tensor for tensor in program.inputs}
    moved = [tensor.name for tensor in stored.inputs if tensor != given[tensor.name]]
    return (f"reads permuted copies of {', '.join(moved)}",) if moved else ()


def _orders(case: ExpressionCase) -> Iterator[tuple[str, ...]]:
    """The order asked for and then others, those that keep most of it first."""
    used = tuple(dict.fromkeys(index for statement in case.program for index in statement.indices))
    yield from permutations(case.order or used)


def _stored_for(program: Program, order: tuple[str, ...]) -> Program:
    """The program with every operand stored as ``order`` reads it; a dimension keeps the kind of its level.

    Intermediates are compressed: they are written in the order in which they are made, and read in this one.
    """
    place = {index: number for number, index in enumerate(order)}
    chosen: dict[str, Tensor] = {}
    inputs = {tensor.name for tensor in program.inputs}
    for statement in program:
        for access in statement.operands:
            if access.tensor in chosen:
                continue
            tensor = program.tensor(access.tensor)
            layout = tensor.format if tensor.name in inputs else Format.parse("c" * tensor.order, tensor.order)
            kinds = dict(zip(layout.mode_order, layout.levels, strict=True))
            modes = sorted(range(tensor.order), key=lambda mode: place[access.indices[mode]])
            chosen[access.tensor] = replace(tensor, format=Format(tuple(kinds[mode] for mode in modes), tuple(modes)))
    tensors = tuple(chosen.get(tensor.name, tensor) for tensor in program.tensors)
    return Program(tensors, program.statements, program.outputs)


def _lower(program: Program, region: Region) -> Lowered:
    return lower(fuse(program, region), region.order, on_cycle=OnCycle.ERROR)


def _run(plan: Plan, case: ExpressionCase) -> tuple[str, ...]:
    """What is wrong with the results of the two engines; nothing if all is well."""
    program = plan.program
    trees = {tensor.name: FiberTree.from_dense(case.inputs[tensor.name], tensor.format) for tensor in program.inputs}
    for lowered in plan.lowered:
        restored = {copy.source.name: copy.target.name for copy in lowered.restores}  # stored again: what convert does
        for name, tree in _both(lowered.graph, trees).outputs.items():
            made = restored.get(name, name)
            trees[made] = tree.convert(program.tensor(made).format)
    found = trees[program.outputs[0]].to_dense().astype(np.float64)
    difference = np.abs(found - case.expected)
    if found.shape != case.expected.shape or not np.isfinite(difference).all():
        return (f"the result has shape {found.shape} or values that are no numbers",)
    if difference.max(initial=0.0) > TOLERANCE * max(np.abs(case.expected).max(initial=0.0), 1e-30):
        at = tuple(int(place) for place in np.unravel_index(int(difference.argmax()), difference.shape))
        return (f"the result at {at} is {found[at]:g}, not {case.expected[at]:g}",)
    return ()


def _both(graph: Graph, trees: Mapping[str, FiberTree]) -> Result:
    """The result of a graph, the same in both engines; SimulationError if it is not."""
    needed = {name: trees[name] for name in graph.tensors}
    slow = interpret(graph, needed)
    fast = simulate(graph, needed)
    same = slow.cycles == fast.cycles and slow.nodes == fast.nodes
    for name, tree in slow.outputs.items():
        same = same and bool(np.array_equal(tree.to_dense(), fast.outputs[name].to_dense(), equal_nan=True))
    if not same:
        raise SimulationError(
            f"the engines differ: {slow.cycles} cycles interpreted, {fast.cycles} compiled; this is a fault of fuseflow"
        )
    return slow
