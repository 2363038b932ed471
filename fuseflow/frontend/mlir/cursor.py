"""A place in MLIR text: skips white space and comments, matches patterns, and quotes the line of every error."""

import re

from fuseflow.errors import ProgramError

_SPACE = re.compile(r"(?:\s+|//[^\n]*)+")


class Cursor:
    """Text and a position in it. Matching never goes back, so reading is linear in the length of the text."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.at = 0
        self.counted, self.lines = 0, 1
        self.skip()

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def fault(self, message: str, at: int | None = None) -> ProgramError:
        """ProgramError that quotes the line at ``at`` (here, if not given) with a caret."""
        place = self.at if at is None else at
        start = self.text.rfind("\n", 0, place) + 1
        end = self.text.find("\n", place)
        line = self.text[start : len(self.text) if end < 0 else end].replace("\t", " ")
        column = place - start
        first = max(0, column - 60)
        return ProgramError(
            f"{self.where}, line {self.line(place)}, column {column + 1}: {message}\n"
            f"  {line[first : first + 120]}\n  {' ' * (column - first)}^"
        )

    def line(self, at: int) -> int:
        """Line number of a place, from 1."""
        if at < self.counted:
            self.counted, self.lines = 0, 1
        self.lines += self.text.count("\n", self.counted, at)
        self.counted = at
        return self.lines

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def shown(self) -> str:
        """What stands here, for messages."""
        found = re.compile(r"[\w.%#@!^$-]+|.", re.DOTALL).match(self.text, self.at)
        return "the end of the text" if found is None else repr(found[0][:40])

    def looking_at(self, text: str) -> bool:
        """Whether ``text`` stands here, as a whole word if it is one."""
        if not self.text.startswith(text, self.at):
            return False
        end = self.at + len(text)
        word = text[-1].isalnum() or text[-1] == "_"
        return not (word and end < len(self.text) and (self.text[end].isalnum() or self.text[end] in "_$."))

    def accept(self, text: str) -> bool:
        """Take ``text`` if it stands here."""
        if not self.looking_at(text):
            return False
        self.at += len(text)
        self.skip()
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.fault(f"expected {text!r}, not {self.shown()}")

    def match(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        """Take what ``pattern`` matches here, if it does."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            self.skip()
        return found

    def take(self, pattern: "re.Pattern[str]", what: str) -> str:
        """Take what ``pattern`` matches here; ProgramError that expected ``what`` if it does not."""
        found = self.match(pattern)
        if found is None:
            raise self.fault(f"expected {what}, not {self.shown()}")
        return found[0]

    def skip_balanced(self) -> None:
        """Take a bracketed group that begins here, whatever is in it."""
        pairs = {"{": "}", "[": "]", "(": ")", "<": ">"}
        waiting: list[tuple[str, int]] = []
        token = re.compile(r'"(?:[^"\\]|\\.)*"|->|[{}\[\]()<>]|[^"{}\[\]()<>-]+|-')
        while True:
            start = self.at
            found = token.match(self.text, self.at)
            if found is None:
                where = waiting[-1][1] if waiting else start
                raise self.fault("a bracket begins here and does not end", where)
            self.at = found.end()
            if found[0] in pairs:
                waiting.append((pairs[found[0]], start))
            elif waiting and found[0] == waiting[-1][0]:
                waiting.pop()
            elif found[0] in pairs.values():
                raise self.fault(f"{found[0]!r} closes nothing that is open here", start)
            if not waiting:
                self.skip()
                return
