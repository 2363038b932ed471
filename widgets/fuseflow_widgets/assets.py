"""The browser's half: one self-contained ES module and style sheet per widget, from the files in ``static``.

A widget's module may import from its neighbours (``import { h } from "./page.js";``). The notebook loads it from text,
where such an import has no address to start from, so the neighbours' text is put in its place here.
"""

import re
from functools import cache
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)


@cache
def module(name: str) -> str:
    """The ES module ``static/<name>.js`` with everything that it imports."""
    inlined: dict[str, str] = {}

    def inline(file: str) -> str:
        text = read(file)
        for neighbour in _IMPORT.findall(text):
            if neighbour not in inlined:
                inlined[neighbour] = ""
                inlined[neighbour] = _EXPORT.sub("", inline(neighbour))
        return _IMPORT.sub("", text)

    main = inline(f"{name}.js")
    return "\n".join([*inlined.values(), main])


@cache
def style() -> str:
    """The style sheet that all widgets share."""
    return read("style.css")


def read(file: str) -> str:
    """Text of ``static/<file>``."""
    return files("fuseflow_widgets").joinpath("static", file).read_text(encoding="utf-8")
