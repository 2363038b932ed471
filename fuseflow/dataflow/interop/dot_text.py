"""A reader of DOT as far as SAM's graphs use it: one digraph of nodes and edges with attributes, no subgraphs.

Every statement keeps the line it stands on, and every error quotes it with a caret.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from fuseflow.errors import DataError

MOST_STATEMENTS = 1_000_000

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<arrow>->)
      | (?P<word>[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|-?(?:\.\d+|\d+(?:\.\d*)?))
      | (?P<mark>[\[\]{}=;,:])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text (a string without quotes and escapes), and where it starts."""

    kind: str
    text: str
    at: int


@dataclass(slots=True)
class DotNode:
    """A node statement; several for one name are merged, later attributes over earlier ones."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DotEdge:
    """One edge, in file order."""

    source: str
    target: str
    line: int
    attributes: dict[str, str]


@dataclass(slots=True)
class DotGraph:
    """A digraph as written: its name and attributes, nodes by name, edges in order."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, DotNode] = field(default_factory=dict)
    edges: list[DotEdge] = field(default_factory=list)


def parse_dot(text: str, where: str) -> DotGraph:
    """The digraph in ``text``; DataError with line and token for anything else. ``where`` names the text."""
    return _Parser(text, where).graph()


def unquoted(text: str) -> str:
    """What a quoted DOT string stands for: ``\\n`` is a line end, any other escaped character is itself."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text, flags=re.DOTALL)


class _Parser:
    """Recursion-free parser over a token stream with one token of look-ahead."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.tokens = self._tokens()
        self.line, self.counted = 1, 0
        self.head = next(self.tokens)
        self.statements = 0

    def _tokens(self) -> Iterator[Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                if self.text[at] == '"':
                    raise self.fault(at, "a string begins here and does not end")
                if self.text.startswith("/*", at):
                    raise self.fault(at, "a comment begins here and does not end")
                raise self.fault(at, f"{self.text[at]!r} is no part of DOT")
            kind = str(found.lastgroup)
            if kind == "string":
                yield Token(kind, unquoted(found[0][1:-1]), at)
            elif kind != "space":
                yield Token(kind, found[0], at)
            at = found.end()
        yield Token("end", "the end of the file", len(self.text))

    def fault(self, at: int, message: str) -> DataError:
        line = self.text.count("\n", 0, at) + 1
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        quoted = self.text[start : len(self.text) if end < 0 else end]
        column = at - start
        first = max(0, column - 60)
        shown = quoted[first : first + 120].replace("\t", " ")
        return DataError(
            f"{self.where}, line {line}, column {column + 1}: {message}\n  {shown}\n  {' ' * (column - first)}^"
        )

    def line_of(self, token: Token) -> int:
        self.line += self.text.count("\n", self.counted, token.at)
        self.counted = token.at
        return self.line

    def take(self) -> Token:
        token = self.head
        if token.kind != "end":
            self.head = next(self.tokens)
        return token

    def expect(self, text: str) -> Token:
        if self.head.kind == "string" or self.head.text != text:
            raise self.fault(self.head.at, f"expected {text!r}, not {self.head.text!r:.60}")
        return self.take()

    def at(self, text: str) -> bool:
        return self.head.kind in ("mark", "arrow") and self.head.text == text

    def identifier(self, what: str) -> Token:
        if self.head.kind not in ("word", "string"):
            raise self.fault(self.head.at, f"expected {what}, not {self.head.text!r:.60}")
        return self.take()

    def graph(self) -> DotGraph:
        if self.head.text.lower() == "strict":
            self.take()
        if self.head.kind != "word" or self.head.text.lower() != "digraph":
            raise self.fault(self.head.at, f"expected 'digraph', not {self.head.text!r:.60}")
        self.take()
        graph = DotGraph(self.take().text if self.head.kind in ("word", "string") else "")
        self.expect("{")
        while not self.at("}"):
            self.statements += 1
            if self.statements > MOST_STATEMENTS:
                raise self.fault(self.head.at, f"more than {MOST_STATEMENTS} statements; this is no dataflow graph")
            self.statement(graph)
            while self.at(";"):
                self.take()
        self.expect("}")
        if self.head.kind != "end":
            raise self.fault(self.head.at, f"expected the end of the file after '}}', not {self.head.text!r:.60}")
        return graph

    def statement(self, graph: DotGraph) -> None:
        if (self.head.kind == "word" and self.head.text.lower() == "subgraph") or self.at("{"):
            raise self.fault(self.head.at, "subgraphs have no meaning in a dataflow graph; list nodes and edges only")
        first = self.identifier("a node, an edge or '}'")
        line = self.line_of(first)
        if self.at("="):
            self.take()
            graph.attributes[first.text] = self.identifier("a value").text
            return
        if self.at("->"):
            self.edges(graph, first, line)
            return
        if self.at(":"):
            raise self.fault(self.head.at, "node ports have no meaning here; name ports in edge attributes")
        attributes = self.attributes()
        if first.kind == "word" and first.text.lower() in ("node", "edge"):
            return  # defaults for drawing
        if first.kind == "word" and first.text.lower() == "graph":
            graph.attributes.update(attributes)
            return
        graph.nodes.setdefault(first.text, DotNode(first.text, line)).attributes.update(attributes)

    def edges(self, graph: DotGraph, first: Token, line: int) -> None:
        ends = [first.text]
        while self.at("->"):
            self.take()
            ends.append(self.identifier("the node that the edge leads to").text)
        attributes = self.attributes()
        for source, target in pairwise(ends):
            graph.edges.append(DotEdge(source, target, line, attributes))

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.at("["):
            self.take()
            while not self.at("]"):
                name = self.identifier("an attribute or ']'")
                self.expect("=")
                found[name.text] = self.identifier(f"the value of {name.text!r}").text
                while self.at(",") or self.at(";"):
                    self.take()
            self.take()
        return found
