"""The guess of what is left, under a clock of our own."""

from itertools import pairwise

import pytest

from fuseflow.sim.progress import Pace, Progress


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("fuseflow.sim.progress.monotonic", made)
    return made


def test_an_even_run_is_guessed_to_the_second(clock: Clock) -> None:
    pace = Pace()
    for second in range(1, 10):
        clock.now += 1.0
        state = pace.report(7 * second, 9, [(10 * second, 100), (2 * second, 20)])
        assert state.fraction == pytest.approx(second / 10)
        assert state.remaining_seconds == pytest.approx(10 - second)
    assert state == Progress(63, 9, state.fraction, 9.0, state.remaining_seconds)


def test_streams_count_by_their_length(clock: Clock) -> None:
    """A short stream that waits for the end of the run does not hold the fraction at 0."""
    pace = Pace()
    clock.now += 2.0
    state = pace.report(1, 1, [(0, 10), (45, 90)])
    assert state.fraction == 0.45
    assert state.remaining_seconds == pytest.approx(2.0 * 0.55 / 0.45)


def test_the_fraction_never_falls_and_ends_at_1(clock: Clock) -> None:
    pace = Pace()
    seen = []
    for part in (10, 60, 40, 90, 130):
        clock.now += 0.1
        seen.append(pace.report(1, 1, [(part, 100)]).fraction)
    assert seen == [0.1, 0.6, 0.6, 0.9, 1.0]
    assert pace.report(1, 1, [(130, 100)]).remaining_seconds is None  # the run goes on, and nothing says for how long


def test_a_pause_moves_the_guess_little_by_little(clock: Clock) -> None:
    pace = Pace()
    for step in range(1, 51):
        clock.now += 0.1
        before = pace.report(1, 1, [(step, 100)])
    assert before.remaining_seconds == pytest.approx(5.0)
    guesses = []
    for _ in range(200):
        clock.now += 0.1
        guesses.append(pace.report(1, 1, [(50, 100)]).remaining_seconds or 0.0)
    steps = [later - sooner for sooner, later in pairwise([5.0, *guesses])]
    assert all(-0.1 <= step < 0.1 for step in steps)  # seconds in a tenth of one; without smoothing all are 0.1
    assert 18.0 < guesses[-1] < 25.0  # half is done in 25 s; the guess is behind by twice SMOOTHING_SECONDS
    clock.now += 0.1
    ended = pace.report(1, 1, [(95, 100)])
    assert ended.remaining_seconds is not None
    assert guesses[-1] - 1.0 < ended.remaining_seconds < guesses[-1]


def test_nothing_is_said_where_nothing_is_known(clock: Clock) -> None:
    pace = Pace()
    assert pace.report(1, 1, []).fraction is None
    assert pace.report(1, 1, []).remaining_seconds is None
    clock.now += 1.0
    start = pace.report(1, 1, [(0, 100)])
    assert (start.fraction, start.remaining_seconds) == (0.0, None)
    clock.now += 1.0
    assert pace.report(1, 1, [(50, 100)]).remaining_seconds is not None
