"""The op table as a Markdown page, made from the handlers: ``docs/ops.md`` is this text."""

from collections.abc import Callable
from typing import Any

from fuseflow.frontend.operations import FAMILIES, HINTS

INTRODUCTION = """# Which PyTorch operations can be traced

`ff.trace(module, inputs)` exports a module with `torch.export` and translates every operation of the exported graph, or refuses it
with the line of the user's code, the nearest thing that works, and this table. The page is made from the handlers
(`fuseflow/frontend/describe.py`; `pytest tests/frontend/test_describe.py --update-golden` writes it).

* **Shapes** are fixed when the model is traced. Broadcasting follows PyTorch's rules; a dimension that is only broadcast costs no level.
* **Data types** are float32 inside (float64 is taken as float32). Whole numbers and truth values are data: they may index, look up
  and mask.
* **Constants** (parameters, buffers, whole numbers, truth values, and what follows from them alone, such as `weight * mask` or
  `torch.tril(torch.ones(n, n))`) are computed while tracing. Comparisons may also look at a float *input* (`adjacency > 0`): the mask
  is fixed with the data that the model carries. Rows of a parameter looked up by an input stay an operation of the model.
* **In place** (`add_`, `relu_`, `nn.ReLU(inplace=True)`...): translated as what they compute, unless an input or a view that is read
  later would change with them.
* **Random** operations are refused; dropout outside of training does nothing.

## What an unstored element means

| where | it is |
| --- | --- |
| a sparse tensor, a result stored sparse | zero; an operation that makes something else of zero (`exp`, `+ 1`, a bias, a maximum) computes every coordinate |
| multiplication by a 0/1 mask | zero: a plain sparse product |
| `masked_fill(x, m, -inf)`, `where(m, x, -inf)`, `x + m` with minus infinity in `m`, attention masks | masked out: it takes no part in the softmax that follows and counts as zero after it. Everything at or below -1e9 counts as minus infinity. Operations that would see the minus infinity itself, or need the zeros of a masked softmax, are refused |

`fuseflow.einsum.explain(model.program)` says it for every statement of a program.

## Index maps and barriers

Transposes, new and dropped dimensions of size 1 and broadcasts are index maps: they cost nothing and fuse. A reshape, concatenation, slice
or gather of something computed is a *layout statement* of the program (`Y[a,b] = reshape[i,j](X[i,j], 3, 8)`, `concat`, `slice`, `gather`):
it runs between regions on stored tensors, exactly, and sparse stays sparse. It costs no cycles and no bytes and is listed in the run
(`run.moved`). A schedule cannot reach across one; `unfused`, `partial` and `full` cut there by themselves.
"""  # noqa: E501 - lines of the page


def markdown() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for family, handlers in FAMILIES.items():
        rows: dict[str, list[str]] = {}
        for name, handler in handlers.items():
            rows.setdefault(_description(handler), []).append(f"`{name}`")
        lines = [f"## {family}", "", "| operation | translated as |", "| --- | --- |"]
        lines += [f"| {', '.join(names)} | {text} |" for text, names in rows.items()]
        parts.append("\n".join(lines) + "\n")
    hints: dict[str, list[str]] = {}
    for name, hint in HINTS.items():
        hints.setdefault(hint, []).append(f"`{name}`")
    lines = ["## Not supported, and what to write instead", "", "| operation | instead |", "| --- | --- |"]
    lines += [f"| {', '.join(names)} | {hint} |" for hint, names in hints.items()]
    parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _description(handler: Callable[..., Any]) -> str:
    """First paragraph of a handler's docstring, in Markdown."""
    first = (handler.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(first.split()).replace("``", "`").replace("|", "\\|")
