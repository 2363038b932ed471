"""The import order of docs/decisions/001-import-order.md holds, for imports inside functions too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = (
    "errors", "formats", "einsum", "frontend", "schedule", "fusion", "dataflow", "lowering", "sim", "estimate",
    "explore", "datasets", "models", "report", "top", "course", "paper", "cli",
)  # fmt: skip
"""``top`` stands for the files directly in ``fuseflow/`` that have no place of their own here."""


def room(module: str) -> str:
    """The entry of ORDER that ``module`` (dotted, without the leading ``fuseflow``) belongs to."""
    head = module.split(".")[0]
    if head == "__main__":
        return "cli"
    if head in ORDER:
        return head
    if (ROOT / "fuseflow" / head).is_dir() and head:
        pytest.fail(f"fuseflow/{head}/ has no place in the import order: add it to ORDER and to decision 001")
    return "top"


def imported(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import in ``tree``, a module inside ``package``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module or "") if part)
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def faults(text: str, relative: Path) -> list[str]:
    """Imports of the module at ``relative`` (under the folder ``fuseflow``) that go against the order."""
    own = room(relative.parts[0].removesuffix(".py"))
    package = ".".join(("fuseflow", *relative.parts[:-1]))
    wrong = []
    for line, name in imported(ast.parse(text), package):
        if name.split(".")[0] == "fuseflow_widgets":
            wrong.append(f"fuseflow/{relative}:{line} imports {name}; the library does not know its widgets")
        elif name.split(".")[0] == "fuseflow":
            other = room(name.partition(".")[2])
            if ORDER.index(other) > ORDER.index(own):
                wrong.append(f"fuseflow/{relative}:{line} imports {name}; {other!r} comes after {own!r}")
    return wrong


def test_every_module_imports_only_from_above() -> None:
    wrong = []
    modules = sorted((ROOT / "fuseflow").rglob("*.py"))
    for path in modules:
        wrong += faults(path.read_text(encoding="utf-8"), path.relative_to(ROOT / "fuseflow"))
    assert modules
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "where", "fault"),
    [
        ("from fuseflow.dataflow import Graph", "lowering/code.py", None),
        ("from fuseflow.sim.machine import Machine", "dataflow/show.py", "'sim' comes after 'dataflow'"),
        ("def f():\n    import fuseflow.lowering", "fusion/order.py", "fusion/order.py:2"),
        ("from fuseflow import sim", "formats/tree.py", "'sim' comes after 'formats'"),
        ("import fuseflow", "formats/tree.py", "'top' comes after 'formats'"),
        ("from ..models import gcn", "sim/engine.py", "'models' comes after 'sim'"),
        ("from . import graph", "dataflow/show.py", None),
        ("import fuseflow_widgets", "cli.py", "does not know its widgets"),
        ("from fuseflow.dataflow import Graph", "fusion/order.py", "'dataflow' comes after 'fusion'"),
        ("from fuseflow.paper import fig12", "api.py", "'paper' comes after 'top'"),
        ("from fuseflow.api import compare", "cli.py", None),
    ],
)
def test_the_rule(text: str, where: str, fault: str | None) -> None:
    found = faults(text, Path(where))
    if fault is None:
        assert not found
    else:
        assert len(found) == 1
        assert fault in found[0]
