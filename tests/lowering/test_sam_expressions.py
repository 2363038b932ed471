"""Expressions of SAM with formats, order and expected result: right from the expression alone, in both engines."""

import json
import re
from typing import Any

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.formats import FiberTree, Format
from fuseflow.schedule import Region, Schedule
from tests.sim.conformance import EXPRESSIONS, folder

FILE = folder() / EXPRESSIONS
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"] if FILE.exists() else []


def parse_format(text: str, order: int) -> Format:
    """``ss01`` and ``ss:0,1``: d for dense, s for compressed levels, then the storage order of the dimensions."""
    found = re.fullmatch(r"([ds]*)(?::([\d,]+)|(\d+))?", text)
    assert found is not None, text
    modes = found[2] or (",".join(found[3]) if found[3] else "")
    return Format.parse(found[1].replace("s", "c") + (f":{modes}" if modes else ""), order)


@pytest.mark.skipif(not CASES, reason=f"no recorded expressions at {FILE}")
def test_every_expression_is_right() -> None:
    for case in CASES:
        data = {name: np.array(values, np.float32) for name, values in case["inputs"].items()}
        formats = {name: parse_format(case["formats"].get(name, ""), values.ndim) for name, values in data.items()}
        program = ff.parse(
            re.sub(r"(\w)\(([^()]*)\)", r"\1[\2]", case["expression"]),
            {name: (values.shape, formats[name]) for name, values in data.items()},
        )
        trees = {name: FiberTree.from_dense(values, formats[name]) for name, values in data.items()}
        expected = np.array(case["expected_dense"], np.float64)
        model = ff.Model(
            case["id"], program, trees, lambda p=program, e=expected: {p.outputs[0]: e}, "the recorded result"
        )
        names = tuple(statement.name for statement in program)
        order = tuple((case["schedule"] or "").replace(",", ""))
        used = {index for statement in program for index in statement.indices}
        region = Region("all", names, order if len(order) == len(used) else None)
        compiled = ff.compile(model, Schedule("recorded", (region,)))
        for engine in ("interpreter", "compiled"):
            assert compiled.simulate(engine=engine).compare().passed, case["id"]
