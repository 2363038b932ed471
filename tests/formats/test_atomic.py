"""Files appear whole or not at all, through links, and never in the place of something that is no file."""

import os
import re
import socket
from pathlib import Path

import pytest

from fuseflow.errors import DataError
from fuseflow.formats.atomic import replaceable, replacing


def put(path: Path, data: bytes = b"new") -> None:
    with replacing(path) as file:
        file.write(data)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as file:
        file.write(b"new")
        raise KeyError
    assert path.read_text() == "old"
    put(path)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("inner/file")
    put(tmp_path / "link", b"first")  # the file is not there yet
    put(tmp_path / "link", b"second")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "inner" / "file").read_bytes() == b"second"
    assert os.listdir(tmp_path / "inner") == ["file"]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match=r"cannot write .*loop: Too many levels of symbolic links"):
        put(tmp_path / "loop")


def test_what_is_no_file_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(tmp_path)  # names of sockets are short
        made.bind("socket")
    kinds = {"pipe": "a pipe", "link": "a pipe", "folder": "a folder", "socket": "a socket"}
    for name, kind in {**kinds, os.devnull: "a device"}.items():
        with pytest.raises(DataError, match=re.escape(f"{name}: it is {kind}; give the path of a file")):
            put(tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(os.listdir(tmp_path)) == sorted(kinds)


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=re.escape(f"No such file or directory; make the folder {tmp_path / 'no'} first")
    ):
        put(tmp_path / "no" / "a")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="Not a directory; check the path and its permissions"):
        put(tmp_path / "file" / "a")
    with pytest.raises(DataError, match="File name too long; give the path of a file"):
        put(tmp_path / ("a" * 300))
    assert replaceable(tmp_path / "b") == (tmp_path / "b").resolve()
