"""Damaged files give DataError or a tree, whatever the damage: never another exception, never the end of the process."""

import io
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fuseflow.errors import DataError
from fuseflow.formats import FiberTree, read_mtx, read_npz, read_tns, write_npz

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"%%MatrixMarket matrix "
TEXTS: list[tuple[str, Callable[[Path], FiberTree], bytes]] = [
    ("a.mtx", read_mtx, HEAD + b"coordinate real general\n% c\n2 3 2\n1 1 1.0\n2 2 1.5e-3\n"),
    ("b.mtx", read_mtx, HEAD + b"coordinate integer symmetric\n3 3 2\n2 1 5\n3 3 -2\n"),
    ("c.mtx", read_mtx, HEAD + b"coordinate pattern general\n3 3 2\n2 1\n3 3\n"),
    ("d.mtx", read_mtx, HEAD + b"array real skew-symmetric\n3 3\n1\n2\n3\n"),
    ("a.tns", read_tns, b"# fuseflow shape: 3 2 2\n1 1 2 1.5\n3 1 1 -2e-3 # x\n"),
]
LIKELY = b"0123456789 .e-+\n%#\0"


def mutated(random: np.random.Generator, data: bytes) -> bytes:
    """``data`` with one to three bytes flipped, replaced by likely ones, cut out or put in."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        at = int(random.integers(0, max(1, len(changed))))
        match int(random.integers(0, 4)):
            case 0:
                changed[at : at + 1] = random.bytes(1)
            case 1:
                changed[at : at + 1] = LIKELY[int(random.integers(0, len(LIKELY))) :][:1]
            case 2:
                del changed[at : at + int(random.integers(1, 5))]
            case _:
                changed[at:at] = random.bytes(2)
    return bytes(changed)


def damaged(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Every beginning of ``data``, and ``count`` mutations."""
    yield from (data[:length] for length in range(len(data)))
    random = np.random.default_rng(seed)
    yield from (mutated(random, data) for _ in range(count))


def survives(read: Callable[[Path], FiberTree], path: Path, data: bytes) -> bool:
    """Whether ``data`` are read as a tree; any exception but DataError goes on."""
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*additional header parsing")
            read(path)
    except DataError as error:
        assert str(path) in str(error)
        return False
    return True


def fuzz_texts(folder: Path) -> None:
    for seed, (name, read, data) in enumerate(TEXTS):
        assert survives(read, folder / name, data)
        for each in damaged(data, seed, 300):
            survives(read, folder / name, each)


def test_texts(tmp_path: Path) -> None:
    # In a process of its own: what is tested for once ended it.
    code = (
        "import sys, pathlib; from tests.formats.test_damage import fuzz_texts; fuzz_texts(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    path = tmp_path / "good.npz"
    write_npz(path, FiberTree.from_dense(np.eye(3)[:, :2], "csr"))
    return path.read_bytes()


def test_archives(tmp_path: Path, archive: bytes) -> None:
    for data in damaged(archive, 0, 300):
        survives(read_npz, tmp_path / "a.npz", data)


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return buffer.getvalue()


def members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return {name: source.read(name) for name in source.namelist()}


def test_arrays_in_archives_with_right_checksums(tmp_path: Path, archive: bytes) -> None:
    random = np.random.default_rng(0)
    good = members(archive)
    assert survives(read_npz, tmp_path / "a.npz", packed(good))
    for _ in range(400):
        name = list(good)[int(random.integers(0, len(good)))]
        survives(read_npz, tmp_path / "a.npz", packed({**good, name: mutated(random, good[name])}))


def test_members_that_are_no_arrays_or_no_text(tmp_path: Path, archive: bytes) -> None:
    path, good = tmp_path / "a.npz", members(archive)
    path.write_bytes(packed({**good, "note.txt": b"hello"}))
    with pytest.raises(DataError, match=r"member 'note.txt' is not an array; get or write it anew"):
        read_npz(path)
    path.write_bytes(packed({**good, "format.npy": good["format.npy"][:-4] + b"\xff\xff\xff\x7f"}))
    with pytest.raises(DataError, match="a text holds 2147483647, which is no character"):
        read_npz(path)
    path.write_bytes(packed({**good, "format.npy": good["shape.npy"]}))
    with pytest.raises(DataError, match=r"a text is expected, not an array of type int64 and shape \(2,\)"):
        read_npz(path)
    path.write_bytes(packed({**good, "schema.npy": good["schema.npy"].replace(b"'shape': (), }", b"'shape': ((, }")}))
    with pytest.raises(DataError, match=r"as \.npz: "):
        read_npz(path)
