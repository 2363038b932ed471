"""A case of the fuzz as a test that can be pasted into a file."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from fuseflow import dataflow, sim
from fuseflow.dataflow import blocks
from fuseflow.dataflow.tokens import Control
from fuseflow.einsum import operators
from fuseflow.formats import FiberTree
from fuseflow.sim import Machine, machine, memory
from tests.sim.shrink import Case


def case_text(case: Case) -> str:
    """Python that makes ``graph``, ``tensors`` and ``machine``."""
    nodes = "".join(f"        {_code(node)},\n" for node in case.graph)
    tensors = "".join(f"    {name!r}: {_tree(tree)},\n" for name, tree in case.tensors.items())
    outputs = _code(tuple(case.graph.outputs))
    return (
        f"{_imports(nodes + outputs + _code(case.machine))}\n"
        f"tensors = {{\n{tensors}}}\n"
        f"graph = Graph(\n    'shrunk',\n    (\n{nodes}    ),\n    {outputs},\n)\n"
        f"machine = {_code(case.machine)}\n"
    )


def pasteable(case: Case, variants: str) -> str:
    """``case_text`` as the body of a test that compares with ``variants``, more arguments of ``compare``."""
    lines = case_text(case).splitlines()
    imports = [line for line in lines if line.startswith(("from ", "import "))]
    body = [f"    {line}" if line else "" for line in lines if line not in imports]
    head = [*imports, "from tests.sim.equality import compare", "", "", "def test_shrunk() -> None:"]
    return "\n".join([*head, *body, f"    compare(graph, tensors, machine, {variants})"]) + "\n"


def _imports(code: str) -> str:
    """Imports of the names that ``code`` uses."""
    lines = ["import numpy as np", "from fuseflow.formats import FiberTree, Format"]
    seen: set[str] = {"Graph"}
    for module in (dataflow, blocks, operators, sim, machine, memory):
        names = [name for name in dir(module) if name not in seen and name[:1].isupper() and name in _words(code)]
        seen |= set(names)
        if module is dataflow:
            names.append("Graph")
        if names:
            lines.append(f"from {module.__name__} import {', '.join(sorted(names))}")
    if "Control" in _words(code):
        lines.append("from fuseflow.dataflow.tokens import Control")
    return "\n".join(lines) + "\n"


def _words(code: str) -> set[str]:
    return set("".join(each if each.isalnum() or each == "_" else " " for each in code).split())


def _code(value: Any) -> str:
    """Python that makes ``value``."""
    match value:
        case Control() | Enum():
            return f"{type(value).__name__}.{value.name}"
        case tuple():
            return f"({''.join(f'{_code(item)}, ' for item in value).rstrip()})"
        case float() | np.floating():
            return repr(float(value)) if np.isfinite(value) else f"float('{float(value)}')"
        case np.integer():
            return repr(int(value))
        case Machine():
            given = [each for each in fields(value) if getattr(value, each.name) != getattr(Machine(), each.name)]
            return f"Machine({', '.join(f'{each.name}={_code(getattr(value, each.name))}' for each in given)})"
    if is_dataclass(value):
        parts = [f"{each.name}={_code(getattr(value, each.name))}" for each in fields(value) if each.init]
        return f"{type(value).__name__}({', '.join(parts)})"
    return repr(value)


def _tree(tree: FiberTree) -> str:
    values = ", ".join(_code(value) for value in tree.to_dense().ravel())
    array = f"np.array([{values}], np.float32).reshape({tree.shape})"
    return f"FiberTree.from_dense({array}, Format.parse({str(tree.format)!r}, {tree.order}), allow_nonfinite=True)"
