"""Conversion of published files, and that nothing in them is run."""

import pickle
import re
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from fuseflow.datasets.catalog import Layout
from fuseflow.datasets.content import content_sha256
from fuseflow.datasets.publisher import convert
from fuseflow.errors import DataError
from tests.datasets.samples import archive_bytes, dumps, planetoid_files, small_graph

EXPECTED = content_sha256(small_graph())


def planetoid(**changed: bytes | None) -> Any:
    files = planetoid_files() | {f"ind.small.{part.replace('__', '.')}": data for part, data in changed.items()}
    return convert(Layout.PLANETOID, {name: data for name, data in files.items() if data is not None})


def archive(data: bytes) -> Any:
    return convert(Layout.SCIPY_ARCHIVE, {"small_graph.npz": data})


@pytest.mark.parametrize("order", [(4, 5), (5, 4)])
def test_planetoid(order: tuple[int, ...]) -> None:
    assert content_sha256(convert(Layout.PLANETOID, planetoid_files(order))) == EXPECTED


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_of_any_protocol(protocol: int) -> None:
    labels = np.eye(3)[[0, 1, 2, 0]]
    assert content_sha256(planetoid(ally=pickle.dumps(labels, protocol=protocol))) == EXPECTED
    allx = sparse.csr_matrix(small_graph().feature_matrix()[:4])
    assert content_sha256(planetoid(allx=pickle.dumps(allx, protocol=protocol))) == EXPECTED


@pytest.mark.parametrize("separators", [("adj_matrix.", "attr_matrix."), ("adj_", "attr_")])
def test_scipy_archives(separators: tuple[str, str]) -> None:
    assert content_sha256(archive(archive_bytes(separators))) == EXPECTED


class Harmful:
    def __reduce__(self) -> Any:
        return eval, ("1/0",)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (pickle.dumps(Harmful(), protocol=0), "builtin"),
        (b"cos\nsystem\n(S'true'\ntR.", "os.system, which is not admitted"),
        (b"cbuiltins\ngetattr\n.", "builtins.getattr, which is not admitted"),
        (b"c_codecs\nencode\n(Va\nVrot13\ntR.", "codec rot13 is not admitted"),
        (b"\x80\x04", "cannot be read as a pickle of numpy arrays and CSR matrices"),
        (b"nonsense", "cannot be read as a pickle"),
    ],
)
def test_pickles_that_name_anything_else_are_refused(data: bytes, named: str) -> None:
    with pytest.raises(DataError, match=re.escape(named)) as caught:
        planetoid(tx=data)
    assert "ind.small.tx cannot be read" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"graph": None}, "lack the parts ['graph']"),
        ({"allx": dumps([1, 2])}, "ind.small.allx must hold a CSR matrix, not list"),
        ({"graph": dumps([1, 2])}, "ind.small.graph must hold a dict from node to a list of nodes, not list"),
        ({"graph": dumps({0: ["x"]})}, "ind.small.graph must hold a dict from node to a list of nodes, not dict"),
        ({"graph": dumps({0: [9]})}, "ind.small.graph names nodes 0 to 9, but there are 6"),
        ({"ally": dumps(["a"])}, "ind.small.ally has labels of list: numbers of one or two dimensions"),
        ({"ty": dumps(np.eye(3))}, "planetoid parts do not fit: allx (4, 4), tx (2, 4), 4 and 3 labels"),
        ({"tx": dumps(sparse.csr_matrix((2, 5)))}, "planetoid parts do not fit: allx (4, 4), tx (2, 5)"),
        ({"test__index": b"4\n4\n"}, "ind.small.test.index must name each node from 4 to 5 once: it has 2 entries"),
        ({"test__index": b"4\nx\n"}, "ind.small.test.index must hold one node number per line"),
        ({"allx": b"cscipy.sparse.csr\ncsr_matrix\n(tR(dS'data'\nI1\nsb."}, "without ['indices', 'indptr']"),
        ({"allx": b"cscipy.sparse.csr\ncsr_matrix\n(tR."}, "ind.small.allx must hold a CSR matrix, not _CsrState"),
    ],
)
def test_planetoid_files_that_do_not_fit(changed: dict[str, bytes | None], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        planetoid(**changed)


def test_archives_that_do_not_fit() -> None:
    with pytest.raises(DataError, match=re.escape("small_graph.npz has arrays ['a.data',")) as caught:
        archive(archive_bytes(("a.", "b.")))
    assert "a layout that is not known; expected adj_matrix.data or adj_data" in str(caught.value)
    with pytest.raises(DataError, match=r"small_graph.npz cannot be read as an .npz archive: "):
        archive(archive_bytes()[:300])
    with pytest.raises(DataError, match="it is not a zip archive"):
        archive(
            np.lib.format.magic(1, 0)
            + b"v\x00"
            + b"{'descr': '<f8', 'fortran_order': False, 'shape': (), }".ljust(117)
            + b"\n"
            + bytes(8)
        )
    with pytest.raises(DataError, match=r"cannot be read as an .npz archive: 'labels"):
        archive(archive_bytes(labels=None))
    with pytest.raises(DataError, match="holds a CSR matrix that is not consistent"):
        archive(archive_bytes(**{"adj_matrix.indices": np.full(14, 99)}))
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        archive(archive_bytes(labels=np.array([1, None], object)))
