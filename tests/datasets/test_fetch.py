"""Fetching from a server on this machine."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fuseflow.datasets import fetch
from fuseflow.datasets.catalog import DataSet
from fuseflow.datasets.content import read_content
from fuseflow.datasets.fetch import fetch_entry
from fuseflow.errors import DataError
from tests.datasets.samples import ARCHIVE, PLANETOID, archive_bytes, planetoid_files, small_entry


class Server(ThreadingHTTPServer):
    """Serves ``files`` by name under /mirror/; ``promised`` adds to the length it announces."""

    files: dict[str, bytes]
    promised = 0

    @property
    def mirror(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mirror"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        data = self.server.files.get(self.path.removeprefix("/mirror/"))
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) + self.server.promised))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(("127.0.0.1", 0), Handler) as running:
        running.files = {"small_graph.npz": archive_bytes(), **planetoid_files()}
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("entry", [ARCHIVE, PLANETOID], ids=["archive", "planetoid"])
def test_fetch(entry: DataSet, server: Server, tmp_path: Path) -> None:
    path = fetch_entry(entry, tmp_path, mirror=server.mirror + "/")
    assert path == tmp_path / "small.npz"
    assert [each.name for each in tmp_path.iterdir()] == ["small.npz"]
    read_content(path, small_entry())


def test_a_wrong_content_is_refused_and_leaves_no_file(server: Server, tmp_path: Path) -> None:
    server.files["small_graph.npz"] = archive_bytes(labels=np.array([0, 1, 2, 0, 1, 1]))
    with pytest.raises(
        DataError, match=r"small as converted from small_graph.npz has content checksum [0-9a-f]{64}, but"
    ):
        fetch_entry(ARCHIVE, tmp_path, mirror=server.mirror)
    assert not list(tmp_path.iterdir())


def test_a_missing_file(server: Server, tmp_path: Path) -> None:
    del server.files["ind.small.graph"]
    with pytest.raises(
        DataError, match=r"cannot download http://\S+/ind.small.graph: HTTP Error 404: Not Found; check"
    ):
        fetch_entry(PLANETOID, tmp_path, mirror=server.mirror)


def test_an_answer_that_breaks_off(server: Server, tmp_path: Path) -> None:
    server.promised = 10
    length = len(server.files["small_graph.npz"])
    with pytest.raises(DataError, match=f"it broke off after {length} of {length + 10} bytes; try again"):
        fetch_entry(ARCHIVE, tmp_path, mirror=server.mirror)


def test_an_answer_that_is_too_long(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The package offers the function under the name of the module, so the module is looked up by its full name.
    monkeypatch.setattr(import_module("fuseflow.datasets.fetch"), "MAX_FILE_BYTES", 100)
    with pytest.raises(DataError, match=r"cannot download \S+: it is longer than 100 bytes; check the address"):
        fetch_entry(ARCHIVE, tmp_path, mirror=server.mirror)


def test_no_network(server: Server, tmp_path: Path) -> None:
    mirror = server.mirror
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=r"cannot download \S+: .*refused.*; check the network, or place the converted"):
        fetch_entry(ARCHIVE, tmp_path, mirror=mirror)


def test_what_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=re.escape('"mag" cannot be fetched, only cora, cora_ml can; it is published at')
    ):
        fetch("mag", tmp_path)
    with pytest.raises(DataError, match=r'"karate" cannot be fetched, only cora, cora_ml can$'):
        fetch("karate", tmp_path)
    with pytest.raises(DataError, match="data set must be one of"):
        fetch("x", tmp_path)
    with pytest.raises(
        DataError, match=re.escape(f"cannot fetch cora into {tmp_path / 'no'}: there is no such folder")
    ):
        fetch("cora", tmp_path / "no")
    with pytest.raises(
        DataError, match="cannot download file:///etc/x: the address must begin with https:// or http://"
    ):
        fetch_entry(replace(ARCHIVE, urls=("file:///etc/x",)), tmp_path)
