"""Getting a real graph from its publisher, for users with a network."""

import http.client
import urllib.request
from pathlib import Path

from fuseflow.datasets.catalog import CATALOG, DataSet, find
from fuseflow.datasets.content import check_content, write_content
from fuseflow.datasets.publisher import convert
from fuseflow.errors import DataError

MAX_FILE_BYTES = 64 * 2**20
"""More than any published file we convert; a longer answer is not the file we asked for."""


def fetch(name: str, directory: str | Path, *, mirror: str | None = None, timeout_seconds: float = 30.0) -> Path:
    """Download graph ``name``, convert it and write ``NAME.npz`` into ``directory``; the path of that file.

    ``mirror`` is an address under which the same files are found by the same names. The content must have the
    checksum of the catalogue, and the file appears as a whole or not at all. Raises DataError if the graph cannot be
    fetched, the network fails, or the content is not the expected one.
    """
    return fetch_entry(find(name), directory, mirror=mirror, timeout_seconds=timeout_seconds)


def fetch_entry(
    entry: DataSet, directory: str | Path, *, mirror: str | None = None, timeout_seconds: float = 30.0
) -> Path:
    """``fetch`` for an entry that need not stand in the catalogue."""
    if entry.layout is None or entry.content_sha256 is None:
        can = ", ".join(known.name for known in CATALOG.values() if known.layout is not None)
        place = f"; it is published at {entry.urls[0]}" if entry.urls else ""
        raise DataError(f'"{entry.name}" cannot be fetched, only {can} can{place}')
    folder = Path(directory)
    if not folder.is_dir():
        raise DataError(f"cannot fetch {entry.name} into {directory}: there is no such folder; make it first")
    files: dict[str, bytes] = {}
    for url in entry.urls:
        file_name = url.rsplit("/", 1)[-1]
        address = url if mirror is None else f"{mirror.rstrip('/')}/{file_name}"
        files[file_name] = _download(address, timeout_seconds)
    content = convert(entry.layout, files)
    check_content(content, entry, f"{entry.name} as converted from {', '.join(files)}")
    path = folder / f"{entry.name}.npz"
    write_content(path, content)
    return path


def _download(url: str, timeout_seconds: float) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise DataError(f"cannot download {url}: the address must begin with https:// or http://")
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as answer:
            data: bytes = answer.read(MAX_FILE_BYTES + 1)
            promised = answer.headers.get("Content-Length", "")
    # Errors of urllib and of sockets are OSErrors; those of the protocol and of odd addresses are not.
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(
            f"cannot download {url}: {error}; check the network, or place the converted file yourself"
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"cannot download {url}: it is longer than {MAX_FILE_BYTES} bytes; check the address")
    if promised.isdecimal() and len(data) < int(promised):
        raise DataError(f"cannot download {url}: it broke off after {len(data)} of {promised} bytes; try again")
    return data
