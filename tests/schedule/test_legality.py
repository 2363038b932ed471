"""Which schedules are legal, in which order regions run, and the message of every breach."""

import pytest

from fuseflow.einsum import Program, parse
from fuseflow.errors import ScheduleError
from fuseflow.schedule import Region, Schedule, check, region_outputs

CHAIN = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = b[i] * 2\nd[i] = exp(c[i])\ne[i] = d[i] + b[i]")


def schedule(*regions: str) -> Schedule:
    """``schedule("x: b c", "y: d e")``."""
    made = []
    for region in regions:
        name, _, statements = region.partition(": ")
        made.append(Region(name, tuple(statements.split())))
    return Schedule("mine", tuple(made))


def fault(*regions: str, program: Program = CHAIN) -> str:
    with pytest.raises(ScheduleError) as caught:
        check(schedule(*regions), program)
    return str(caught.value)


@pytest.mark.parametrize(
    ("regions", "order"),
    [
        (["all: b c d e"], "all"),
        (["one: b", "two: c", "three: d", "four: e"], "one two three four"),
        (["four: e", "three: d", "two: c", "one: b"], "one two three four"),
        (["last: d e c", "first: b"], "first last"),
        (["x: b", "y: c d", "z: e"], "x y z"),
    ],
)
def test_legal_schedules_run_producers_first(regions: list[str], order: str) -> None:
    assert [region.name for region in check(schedule(*regions), CHAIN)] == order.split()


def test_independent_regions_keep_their_order() -> None:
    program = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = a[i] * 2\nd[i] = b[i] + c[i]")
    for regions in (["x: b", "y: c", "z: d"], ["y: c", "x: b", "z: d"]):
        assert check(schedule(*regions), program) == schedule(*regions).regions


def test_regions_need_not_be_contiguous() -> None:
    program = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = a[i] * 2\nd[i] = exp(b[i])\ne[i] = exp(c[i])\nf[i] = d[i] + e[i]")
    apart = schedule("odd: b d", "even: c e", "sum: f")
    assert check(apart, program) == apart.regions
    assert [region_outputs(region, program) for region in apart] == [("d",), ("e",), ("f",)]
    assert [region.name for region in check(schedule("rest: c e f", "odd: b d"), program)] == ["odd", "rest"]


def test_statements_of_a_region_may_stand_in_any_order() -> None:
    assert region_outputs(Region("all", ("e", "b", "d", "c")), CHAIN) == ("e",)


def test_several_outputs() -> None:
    split = schedule("x: b c", "y: d e")
    assert [region_outputs(region, CHAIN) for region in check(split, CHAIN)] == [("b", "c"), ("e",)]
    both = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = b[i] * 2\nreturn b, c")
    assert region_outputs(check(schedule("x: b c"), both)[0], both) == ("b", "c")


def test_regions_that_wait_for_each_other() -> None:
    assert fault("outer: b d", "inner: c", "e: e") == (
        "regions of schedule 'mine' wait for each other: inner reads b of outer; outer reads c of inner. Merge them, or cut "
        "one of them between the two tensors."
    )
    message = fault("x: b e", "y: c", "z: d")
    assert "wait for each other: y reads b of x; z reads c of y; x reads d of z. Merge" in message


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        (["x: b c d e", "x: b"], "schedule 'mine' has two regions called 'x'; rename one"),
        (["x: b c d e", "y: "], "region 'y' of schedule 'mine' is empty; remove it"),
        (["x: b c d e q"], "region 'x' names statement 'q', which the program lacks; it has b, c, d, e"),
        (["x: a b c d e"], "region 'x' names statement 'a', which the program lacks; it has b, c, d, e"),
        (["x: b c d e", "y: c"], "statement 'c' is in region 'x' and in region 'y'; keep one"),
        (["x: b c c d e"], "statement 'c' is in region 'x' and in region 'x'; keep one"),
        (["x: b"], "schedule 'mine' leaves out c, d, e; put every statement into a region"),
        ([], "schedule 'mine' leaves out b, c, d, e; put every statement into a region"),
    ],
)
def test_every_statement_once(regions: list[str], message: str) -> None:
    assert fault(*regions) == message


def test_dead_statement() -> None:
    program = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = a[i] * 2\nreturn b")
    message = "region '{}': nothing reads 'c' and it is no result; remove the statement from the program"
    assert fault("x: b c", program=program) == message.format("x")
    assert fault("x: b", "y: c", program=program) == message.format("y")
