"""Which files a replay reads, and what is in them."""

import json
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from fuseflow.errors import DataError
from fuseflow.sim.replay.record import Record


class Schema(Enum):
    """Kinds of case files; the values are the fields that every case of them has."""

    TIMED = ("name", "ops", "channel_capacity")
    PRIMITIVES = ("id", "primitive", "inputs")
    EXPRESSIONS = ("id", "expression", "formats")


def find_files(paths: Iterable[str | Path]) -> list[tuple[Path, Schema, list[Record]]]:
    """The case files among ``paths``, each with its cases; a folder is searched, with those below it, for ``*.json``.

    In a folder, JSON of another schema is passed over. Raises DataError for a path that does not exist, a file that is
    no JSON, a file named itself that is of no known schema, or if there is no case file at all.
    """
    found: dict[Path, tuple[Path, Schema, list[Record]]] = {}
    given = [Path(path) for path in paths]
    for path in given:
        if path.is_dir():
            candidates = sorted(each for each in path.rglob("*.json") if each.is_file())
        elif path.exists():
            candidates = [path]
        else:
            raise DataError(f"{path}: no such file or folder; name a case file, or a folder that holds some")
        for candidate in candidates:
            if candidate.resolve() in found:
                continue
            content = _load(candidate)
            schema, reason = _schema(content)
            if schema is not None:
                cases = [
                    Record(f"{candidate}, case {_name(case, number)}", case)
                    for number, case in enumerate(content["cases"])
                ]
                found[candidate.resolve()] = (candidate, schema, cases)
            elif candidate is path:
                raise DataError(f"{path}: {reason}; a case file has 'cases' as in the schemas that replay knows")
    if not found:
        named = ", ".join(str(path) for path in given) or "no path"
        raise DataError(
            f"{named}: no case file there; replay reads JSON with cases: timed, of primitives, or of expressions"
        )
    return list(found.values())


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise DataError(f"{path}: cannot be read as JSON: {fault}; replace or remove the file") from None


def _schema(content: Any) -> tuple[Schema | None, str]:
    """The schema of a file, or why it has none."""
    if not isinstance(content, dict) or not isinstance(content.get("cases"), list):
        return None, "it is no object with a list 'cases'"
    cases = content["cases"]
    if not cases:
        return None, "its list 'cases' is empty"
    for number, case in enumerate(cases):
        if not isinstance(case, dict):
            return None, f"case {number} is no object"
    for schema in Schema:
        if all(key in cases[0] for key in schema.value):
            for number, case in enumerate(cases):
                missing = [key for key in schema.value if key not in case]
                if missing:
                    return None, f"case {_name(case, number)} has no field {missing[0]!r}"
            return schema, ""
    return None, f"its cases have the fields {', '.join(sorted(cases[0])) or 'none'}, which is no known schema"


def _name(case: dict[str, Any], number: int) -> str:
    return repr(case.get("name") or case.get("id") or number)
