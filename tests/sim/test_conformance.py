"""Every token, stamp, final clock and counter of the reference's timed cases."""

import math
from collections.abc import Callable

import pytest

from fuseflow.dataflow.tokens import Token
from fuseflow.sim.interpret import run
from tests.sim import conformance

pytestmark = pytest.mark.skipif(
    not conformance.folder().is_dir(),
    reason=f"no folder {conformance.folder()}; set FUSEFLOW_CONFORMANCE to where comal_timed_streams.json is",
)
RUNNABLE = [name for name, case in conformance.cases().items() if conformance.reason_to_skip(case) is None]
MAX_RESET = {"unit_maxreduce_2d": {"v2": 4}}
"""Case, stream and place of the one value that the repaired reset of the maximum changes (the reference has 0)."""


@pytest.mark.parametrize("name", RUNNABLE)
def test_case(name: str) -> None:
    case = conformance.cases()[name]
    built = conformance.build(case)
    run(built.units)
    for stream, entries in case.get("streams", {}).items():
        seen = built.channels[stream].record
        assert seen is not None
        wanted = conformance.expected_stream(stream, entries)
        assert [stamp for _, stamp in seen] == [stamp for _, stamp in wanted], stream
        for place, ((token, _), (other, _)) in enumerate(zip(seen, wanted, strict=True)):
            if MAX_RESET.get(name, {}).get(stream) != place:
                assert same(token, other), f"{stream}, token {place}: {token!r}, not {other!r}"
    for op, units in zip(case["ops"], built.by_op, strict=True):
        if "final_clock" in op:
            assert [unit.clock for unit in units] == op["final_clock"], op["op"]
    assert max(unit.clock for unit in built.units) == case["elapsed"]
    assert conformance.metric_sums(case, built) == case["metric_sums"]


def same(token: Token, other: Token) -> bool:
    """Equal; values to the last bits, where two libraries round an exponential differently."""
    if isinstance(token, float) and isinstance(other, (int, float)):
        return math.isclose(token, other, rel_tol=1e-6, abs_tol=1e-30)
    return type(token) is type(other) and token == other


def test_how_many_cases_run(record_property: Callable[[str, object], None]) -> None:
    left_out = {name: conformance.reason_to_skip(case) for name, case in conformance.cases().items()}
    reasons = sorted(reason for reason in left_out.values() if reason)
    summary = f"{len(RUNNABLE)} of {len(left_out)} cases run; left out: " + "; ".join(reasons)
    record_property("conformance", summary)
    print(summary)
    assert len(RUNNABLE) >= 35


def test_the_repaired_maximum() -> None:
    case = conformance.cases()["unit_maxreduce_2d"]
    built = conformance.build(case)
    run(built.units)
    record = built.channels["v2"].record
    assert record is not None
    assert record[4] == (-3.0, 15)
