"""Stop dropper, value dropper and sink from token text."""

import pytest

from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.drop import drop_stops, drop_zeros
from fuseflow.sim.blocks.sink import consume
from tests.sim.harness import drive

KINDS = (StreamKind.VAL, StreamKind.CRD)


def test_stops_that_follow_stops_vanish_and_cost_a_cycle() -> None:
    unit, (out,) = drive(drop_stops, ["S0@1 1@1 S0@1 S1@1 2@1 N@1 S2@1 D@1"], 1)
    assert out == "1@3 S0@4 2@6 N@7 S2@8 D@9"
    assert unit.clock == 8


def test_zeros_vanish_with_their_coordinates_and_every_stop_stays() -> None:
    streams = ["1 0 S0 0 S0 S0 3 S1 D", "4 5 S0 6 S0 S0 7 S1 D"]
    unit, (val, crd) = drive(drop_zeros, streams, 2, KINDS)
    assert val == "1@2 S0@4 S0@6 S0@7 3@8 S1@9 D@10"
    assert crd == "4@2 S0@4 S0@6 S0@7 7@8 S1@9 D@10"
    assert unit.clock == 9


def test_values_without_coordinates() -> None:
    with pytest.raises(SimulationError, match=r"val and crd do not go together: 1.0 at unit.in0, S0 at unit.in1"):
        drive(drop_zeros, ["1 S0 D", "S0 D"], 2, KINDS)


def test_a_sink_takes_one_token_a_cycle() -> None:
    unit, _ = drive(consume, ["1@1 2@1 S0@9 D@9"], 0)
    assert unit.clock == 11
