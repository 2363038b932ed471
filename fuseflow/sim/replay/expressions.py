"""Cases of expressions recorded from SAM: formats, order and dense inputs in, the dense result out, in both engines.

The expression is compiled here as any other program; nothing but the case is used. Only the result is compared:
SAM's cycles are another machine's. An order that contradicts how an operand is stored asks for that operand in the
other order: a copy of it, permuted, is what the graph then reads.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, permutations

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Program, Tensor, parse
from fuseflow.errors import FormatError, FuseflowError, FusionError, ProgramError, ScheduleError, SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.fusion import fuse
from fuseflow.lowering import Lowered, OnCycle, lower
from fuseflow.schedule import Region
from fuseflow.sim.engine import simulate
from fuseflow.sim.interpret import interpret
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import CaseResult, Outcome

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


def replay_expression(path: str, case: Record) -> CaseResult:
    """Run one case of the schema of ``sam_expressions.json``; DataError if it is not of that schema."""
    name = case.get("id", str)
    read = read_case(case)
    try:
        lowered, program, changed = _lowered(read)
        notes = _run(lowered, program, read)
    except FuseflowError as fault:
        return CaseResult(path, name, Outcome.FAILED, (f"does not run: {fault}",))
    if notes:
        return CaseResult(path, name, Outcome.FAILED, notes)
    asked = read.order is None or lowered.order == read.order
    return CaseResult(path, name, Outcome.PASSED if asked else Outcome.KNOWN, changed)


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


def _lowered(case: ExpressionCase) -> tuple[Lowered, Program, tuple[str, ...]]:
    """The graph of the case, the program it was lowered from, and notes on what had to be changed for it."""
    names = tuple(statement.name for statement in case.program)
    if case.order is not None and _concordant(case.program, case.order):
        try:
            return _lower(case.program, Region("all", names, case.order)), case.program, ()
        except (ScheduleError, FusionError) as fault:
            reason = str(fault)
    elif case.order is None:
        try:
            return _lower(case.program, Region("all", names)), case.program, ()
        except FusionError as fault:
            reason = str(fault)
    else:
        reason = "the order contradicts how operands are stored"
    first: FuseflowError | None = None
    for order in islice(_orders(case), ORDERS_TRIED):
        program = _stored_for(case.program, order)
        moved = [old.name for old, new in zip(case.program.inputs, program.inputs, strict=True) if old != new]
        try:
            lowered = _lower(program, Region("all", names, order))
        except (ScheduleError, FusionError) as fault:
            first = first or fault
            continue
        copies = f", reading permuted copies of {', '.join(moved)}" if moved else ""
        return lowered, program, (f"run in order {' '.join(order)}{copies}: {reason}",)
    raise first or FusionError(reason)


def _orders(case: ExpressionCase) -> Iterator[tuple[str, ...]]:
    """The order asked for and then others, those that keep most of it first."""
    used = tuple(dict.fromkeys(index for statement in case.program for index in statement.indices))
    yield from permutations(case.order or used)


def _concordant(program: Program, order: tuple[str, ...]) -> bool:
    return _stored_for(program, order) == program


def _stored_for(program: Program, order: tuple[str, ...]) -> Program:
    """The program with every input stored as ``order`` reads it; a dimension keeps the kind of its level."""
    place = {index: number for number, index in enumerate(order)}
    chosen: dict[str, Tensor] = {}
    inputs = {tensor.name: tensor for tensor in program.inputs}
    for statement in program:
        for access in statement.operands:
            tensor = inputs.get(access.tensor)
            if tensor is None or access.tensor in chosen:
                continue
            kinds = dict(zip(tensor.format.mode_order, tensor.format.levels, strict=True))
            modes = sorted(range(tensor.order), key=lambda mode: place[access.indices[mode]])
            chosen[access.tensor] = replace(tensor, format=Format(tuple(kinds[mode] for mode in modes), tuple(modes)))
    tensors = tuple(chosen.get(tensor.name, tensor) for tensor in program.tensors)
    return Program(tensors, program.statements, program.outputs)


def _lower(program: Program, region: Region) -> Lowered:
    return lower(fuse(program, region), region.order, on_cycle=OnCycle.ERROR)


def _run(lowered: Lowered, program: Program, case: ExpressionCase) -> tuple[str, ...]:
    """What is wrong with the results of the two engines; nothing if all is well."""
    graph = lowered.graph
    trees = {tensor.name: FiberTree.from_dense(case.inputs[tensor.name], tensor.format) for tensor in program.inputs}
    needed = {name: trees[name] for name in graph.tensors}
    slow = interpret(graph, needed)
    try:
        fast = simulate(graph, needed)
    except SimulationError as fault:
        if "interpret(" not in str(fault):  # that is what it says where a block has no compiled kernel yet
            raise
        fast = slow
    if slow.cycles != fast.cycles or slow.nodes != fast.nodes:
        raise SimulationError(
            f"the engines differ: {slow.cycles} cycles interpreted, {fast.cycles} compiled; this is a fault of fuseflow"
        )
    notes = []
    for engine, result in (("interpreted", slow), ("compiled", fast)):
        found = result.output.convert(program.tensor(program.outputs[0]).format).to_dense().astype(np.float64)
        difference = np.abs(found - case.expected)
        if found.shape != case.expected.shape or not np.isfinite(difference).all():
            notes.append(f"the result, {engine}, has shape {found.shape} or values that are no numbers")
        elif difference.max(initial=0.0) > TOLERANCE * max(np.abs(case.expected).max(initial=0.0), 1e-30):
            at = tuple(int(place) for place in np.unravel_index(int(difference.argmax()), difference.shape))
            notes.append(f"the result, {engine}, at {at} is {found[at]:g}, not {case.expected[at]:g}")
    return tuple(notes)
