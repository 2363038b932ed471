"""Schedules as data: JSON, files, code, and every error of reading and writing."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fuseflow as ff
from fuseflow.errors import ScheduleError
from fuseflow.schedule import Iteration, Region, Schedule

NAMES = st.text(min_size=1, max_size=5)
REGIONS = st.builds(
    Region,
    NAMES,
    st.lists(NAMES, max_size=3).map(tuple),
    st.one_of(st.none(), st.lists(NAMES, max_size=3).map(tuple)),
)
SCHEDULES = st.builds(Schedule, NAMES, st.lists(REGIONS, max_size=3).map(tuple))
EXAMPLE = Schedule("mine", (Region("first", ("T0", "T2"), ("i", "k")), Region("rest", ("T1",))))


@given(SCHEDULES)
def test_json_and_code_read_back(schedule: Schedule) -> None:
    assert Schedule.from_json(schedule.to_json()) == schedule
    assert eval(schedule.to_code(), {"ff": ff}) == schedule


def test_printed_forms() -> None:
    assert repr(EXAMPLE) == "Schedule mine: 2 regions\n  first: T0 T2  order i k\n  rest: T1"
    assert EXAMPLE.to_code() == (
        "ff.Schedule('mine', (\n    ff.Region('first', ('T0', 'T2'), order=('i', 'k')),\n    ff.Region('rest', ('T1',)),\n))"
    )
    assert len(EXAMPLE) == 2
    assert [region.name for region in EXAMPLE] == ["first", "rest"]
    rest = {"name": "rest", "statements": ["T1"], "order": None, "iteration": "factored", "orders": {}, "lanes": []}
    assert json.loads(EXAMPLE.to_json())["regions"][1] == rest


def test_iteration_style_and_orders_of_statements() -> None:
    lanes = (ff.Lanes("i", 4), ff.Lanes("k", 2, ff.Scatter.BALANCED))
    region = Region("all", ("T", "Y"), iteration=Iteration.GLOBAL, orders=(("T", ("i", "k", "j")),), lanes=lanes)
    mine = Schedule("mine", (region,))
    assert repr(mine) == (
        "Schedule mine: 1 region\n  all: T Y  global iteration\n    T in order i k j\n    4 lanes of i, round_robin\n"
        "    2 lanes of k, balanced"
    )
    assert Schedule.from_json(mine.to_json()) == mine
    assert eval(mine.to_code(), {"ff": ff}) == mine


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Region("a", ("T",), iteration="global"), "region 'a': iteration must be one of ff.Iteration.FACTORED"),
        (lambda: Region("a", "T"), r"region 'a': statements must be a tuple, such as \('T',\)"),
        (lambda: Region("a", ("T",), lanes=(("p", 2),)), "region 'a': lanes must be a tuple, such as"),
        (lambda: Schedule("s", Region("a", ("T",))), "schedule 's': regions must be a tuple of ff.Region"),
    ],
)
def test_parts_of_the_wrong_type(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        make()


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    EXAMPLE.save(path)
    assert Schedule.load(path) == EXAMPLE
    Schedule("other", ()).save(str(path))
    assert Schedule.load(str(path)) == Schedule("other", ())
    assert os.listdir(tmp_path) == ["mine.json"]


REGION = {"name": "r", "statements": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the schedule is not JSON: Expecting property name"),
        ("[" * 100_000, "the schedule is not JSON: "),
        ("[]", 'the schedule has no "fuseflow_schedule": 1; write one with Schedule.save'),
        ("{}", 'the schedule has no "fuseflow_schedule": 1; write one with Schedule.save'),
        ({"fuseflow_schedule": 2}, "the schedule is of version 2, this fuseflow reads version 1; write it again"),
        ({"regions": []}, "the schedule has no 'name'; add it (a string)"),
        ({"name": 3, "regions": []}, "the schedule: 'name' must be a string, not 3"),
        ({"name": "s"}, "the schedule has no 'regions'; add it (a list)"),
        ({"name": "s", "regions": {"a": 1}}, "the schedule: 'regions' must be a list, not {'a': 1}"),
        ({"name": "s", "regions": ["a"]}, "the schedule, region 0 must be an object with name and statements, not 'a'"),
        ({"name": "s", "regions": [{"name": "r"}]}, "the schedule, region 0 has no 'statements'; add it (a list)"),
        ({"name": "s", "regions": [{"statements": []}]}, "the schedule, region 0 has no 'name'; add it (a string)"),
        ({"name": "s", "regions": [REGION, REGION | {"name": 1}]}, "region 1: 'name' must be a string, not 1"),
        ({"name": "s", "regions": [REGION | {"statements": "a"}]}, "region 0: 'statements' must be a list, not 'a'"),
        (
            {"name": "s", "regions": [REGION | {"statements": [1]}]},
            "region 0: 'statements' must hold strings only, not 1",
        ),
        ({"name": "s", "regions": [REGION | {"order": "ij"}]}, "region 0: 'order' must be a list or null, not 'ij'"),
        ({"name": "s", "regions": [REGION | {"order": [0]}]}, "region 0: 'order' must hold strings only, not 0"),
    ],
)
def test_text_that_is_no_schedule(text: str | dict[str, object], message: str) -> None:
    if not isinstance(text, str):
        text = json.dumps({"fuseflow_schedule": 1} | text)
    with pytest.raises(ScheduleError) as caught:
        Schedule.from_json(text)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        ScheduleError, match=r"cannot read a schedule from .*none\.json: No such file or directory; give"
    ):
        Schedule.load(tmp_path / "none.json")
    with pytest.raises(ScheduleError, match=r"cannot read a schedule from .*: Is a directory; give the path of a file"):
        Schedule.load(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScheduleError, match=r"the schedule in .*bytes\.json is not UTF-8 text: .*; write it with"):
        Schedule.load(tmp_path / "bytes.json")
    (tmp_path / "broken.json").write_text('{"fuseflow_schedule": 1')
    with pytest.raises(ScheduleError, match=r"the schedule in .*broken\.json is not JSON: .*line 1 column 24"):
        Schedule.load(tmp_path / "broken.json")


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(
        ScheduleError, match=r"schedule 'mine' is not saved: cannot write .*: No such file or directory"
    ):
        EXAMPLE.save(tmp_path / "none" / "mine.json")
    with pytest.raises(ScheduleError, match="it is a device; give the path of a file"):
        EXAMPLE.save(os.devnull)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(
        ScheduleError, match=r"schedule 'mine' is not saved: cannot write .*folder: it is a folder; give the"
    ):
        EXAMPLE.save(tmp_path / "folder")
    (tmp_path / "file").touch()
    with pytest.raises(ScheduleError, match=r"schedule 'mine' is not saved: cannot write .*: Not a directory"):
        EXAMPLE.save(tmp_path / "file" / "mine.json")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.json"
    EXAMPLE.save(path)
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ScheduleError, match=r"schedule 'other' is not saved: .*No space left on device"):
        Schedule("other", ()).save(path)
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["mine.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ScheduleError, match=r"schedule 'mine' is not saved: cannot write .*: Permission denied"):
        EXAMPLE.save(tmp_path / "mine.json")


def test_lanes_and_passes_of_a_region() -> None:
    """An index is spread once; names are passes; a single one is no tuple."""
    twice = (ff.Lanes("j", 2), ff.Lanes("i", 2), ff.Lanes("j", 4))
    with pytest.raises(
        ScheduleError, match=r"region 'r' spreads index 'j' over lanes twice; .* such as ff.Lanes\('j', 8\)"
    ):
        ff.Region("r", ("a",), lanes=twice)
    text = ff.Schedule("s", (ff.Region("r", ("a",), lanes=twice[:2]),)).to_json().replace('"i"', '"j"')
    with pytest.raises(ScheduleError, match="spreads index 'j' over lanes twice"):
        ff.Schedule.from_json(text)
    wrong: Any = ff.Lanes("i", 2)
    with pytest.raises(ScheduleError, match=r"lanes must be a tuple, such as \(ff.Lanes\('i', 4\),\), not ff.Lanes"):
        ff.Region("r", ("a",), lanes=wrong)
    with pytest.raises(ScheduleError, match="must be 1 or more, not True"):
        ff.Lanes("i", True)
    with pytest.raises(ScheduleError, match="must be 1 or more, not True"):
        ff.Schedule.from_json(text.replace('"count": 2', '"count": true'))
    wrong = "balanced"
    with pytest.raises(ScheduleError, match=r"scatter must be one of ff.Scatter.ROUND_ROBIN, .* not 'balanced'"):
        ff.Lanes("i", 2, wrong)
    names: Any = ("hoist",)
    assert ff.Region("r", ("a",), passes=names).passes == (ff.GraphPass.HOIST,)
    names = "hoist"
    with pytest.raises(ScheduleError, match=r"passes must be a tuple, such as \('hoist',\)"):
        ff.Region("r", ("a",), passes=names)
