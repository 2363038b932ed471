"""Names of tensors and index variables, and the user's lines for messages and origins."""

import keyword
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import fx

INDEX_NAMES = "ijklmnopqrstuvwxyzabcdefgh"


def identifier(text: str) -> str:
    """``text`` as a tensor name: ``conv1.linear.weight`` becomes ``conv1_linear_weight``."""
    name = re.sub(r"\W", "_", text).strip("_") or "t"
    return f"t_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def index_names() -> Iterator[str]:
    """Index names without end, in a fixed order."""
    number = 1
    while True:
        suffix = "" if number == 1 else str(number)
        yield from (f"{letter}{suffix}" for letter in INDEX_NAMES)
        number += 1


def source_line(node: "fx.Node") -> str:
    """The user's line that made ``node``, as ``file.py:12: code``.

    Where no line is the user's own (a bare ``nn.Sequential``), the module that made it; empty if neither is known.
    """
    frames = re.findall(r'File "([^"]*)", line (\d+), in [^\n]*\n?([^\n]*)', node.meta.get("stack_trace") or "")
    own = [frame for frame in frames if _is_users(frame[0])]
    if own:
        return _line(*own[-1])
    stack = [entry for entry in (node.meta.get("nn_module_stack") or {}).values() if entry[0]]
    if not stack:
        return ""
    path, kind = stack[-1]
    return f"module {path!r}, a {str(getattr(kind, '__name__', kind)).rsplit('.', 1)[-1]}"


def failing_line(error: BaseException) -> str:
    """The innermost line of the user's that ``error`` passed through, as ``file.py:12: code``; empty if none did."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return _line(frames[-1].filename, frames[-1].lineno or 0, frames[-1].line or "") if frames else ""


def _line(path: str, line: int | str, code: str) -> str:
    return f"{path.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}: {code.strip()}"


def _is_users(path: str) -> bool:
    """Whether a file belongs to neither PyTorch nor fuseflow."""
    import torch

    libraries = (Path(torch.__file__).parent, Path(__file__).parents[1])
    return not path.startswith("<") and not any(Path(path).is_relative_to(folder) for folder in libraries)
