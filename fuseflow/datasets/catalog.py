"""What is known of each data set: sizes, origin, licence, checksums. The table in ``data/README.md`` is this one."""

from dataclasses import dataclass
from enum import Enum

import pandas as pd

from fuseflow.errors import DataError


class Layout(Enum):
    """How the files of the publisher hold a graph."""

    PLANETOID = "planetoid"
    """Pickled parts ``ind.NAME.allx``, ``tx``, ``ally``, ``ty``, ``graph``, and the text file ``test.index``."""
    SCIPY_ARCHIVE = "scipy archive"
    """One ``.npz`` with the parts of two CSR matrices (``adj...``, ``attr...``) and ``labels``."""


class FeatureKind(Enum):
    """What the features of a graph look like; a synthetic twin imitates it."""

    BINARY = "binary"
    """Sparse, all ones (words that occur)."""
    UNIT_ROWS = "unit rows"
    """Sparse, positive, rows of length 1 (weighted words)."""
    DENSE = "dense"
    """Every feature of every node stored, of either sign (embeddings)."""
    IDENTITY = "identity"
    """One-hot node numbers."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Facts about one graph; counts are of stored entries of the adjacency and feature matrices as ``load`` gives them.

    ``approximate_features`` marks a ``feature_nonzeros`` that is an estimate. ``file_sha256`` is of the ``.npz`` file
    that we measured with, ``content_sha256`` of its arrays (see ``content.content_sha256``); both None where we have
    no file. ``urls`` are the publisher's files, in the layout ``layout``; None where ``fetch`` cannot convert them.
    """

    name: str
    nodes: int
    stored_edges: int
    features: int
    feature_nonzeros: int
    classes: int
    source: str
    licence: str
    feature_kind: FeatureKind = FeatureKind.BINARY
    symmetric: bool = True
    symmetrised: bool = False
    approximate_features: bool = False
    note: str = ""
    urls: tuple[str, ...] = ()
    layout: Layout | None = None
    file_sha256: str | None = None
    content_sha256: str | None = None


_PLANETOID = "https://github.com/kimiyoung/planetoid/raw/master/data"

CATALOG: dict[str, DataSet] = {
    entry.name: entry
    for entry in (
        DataSet(
            "karate",
            nodes=34,
            stored_edges=156,
            features=34,
            feature_nonzeros=34,
            classes=2,
            source="Zachary 1977, as in networkx",
            licence="BSD-3-Clause (networkx)",
            feature_kind=FeatureKind.IDENTITY,
            note="built in; one-hot features; classes are the two clubs",
        ),
        DataSet(
            "cora",
            nodes=2708,
            stored_edges=10556,
            features=1433,
            feature_nonzeros=49216,
            classes=7,
            source="kimiyoung/planetoid, Yang et al. 2016",
            licence="MIT",
            urls=tuple(f"{_PLANETOID}/ind.cora.{part}" for part in ("allx", "tx", "ally", "ty", "graph", "test.index")),
            layout=Layout.PLANETOID,
            file_sha256="3451486ddc0aa38bf698dd10db3b0076addab694b319cefaab8443492c78652e",
            content_sha256="4193ff31879527e9fc1f441053c7c5abd233c1580c1c52431401e5a9268890ca",
        ),
        DataSet(
            "cora_ml",
            nodes=2995,
            stored_edges=16316,
            features=2879,
            feature_nonzeros=151171,
            classes=7,
            source="gasteigerjo/ppnp, Bojchevski & Günnemann 2018",
            licence="MIT",
            feature_kind=FeatureKind.UNIT_ROWS,
            symmetrised=True,
            note="published directed with 8416 edges; symmetrised when loaded",
            urls=("https://github.com/gasteigerjo/ppnp/raw/master/ppnp/data/cora_ml.npz",),
            layout=Layout.SCIPY_ARCHIVE,
            file_sha256="2997cfb2df4afaea56309a34d7be2e6e7a9b5fd95a4a38c9817159af31c2af0a",
            content_sha256="c200f5443cff57df018681aaab82821956f82b1428a57d00d16b6400bb87c99a",
        ),
        DataSet(
            "dblp",
            nodes=17716,
            stored_edges=105734,
            features=1639,
            feature_nonzeros=88000,
            classes=4,
            source="abojchevski/graph2gauss, Bojchevski & Günnemann 2018",
            licence="MIT",
            approximate_features=True,
            note="feature nonzeros approximate (about 0.3%)",
            urls=("https://github.com/abojchevski/graph2gauss/raw/master/data/dblp.npz",),
        ),
        DataSet(
            "collab",
            nodes=235868,
            stored_edges=2358104,
            features=128,
            feature_nonzeros=235868 * 128,
            classes=16,
            source="ogbl-collab training edges, Hu et al. 2020",
            licence="ODC-BY",
            feature_kind=FeatureKind.DENSE,
            note="both directions stored; a link data set without labels: 16 classes are a placeholder width",
            urls=("https://ogb.stanford.edu/docs/linkprop/#ogbl-collab",),
        ),
        DataSet(
            "mag",
            nodes=736389,
            stored_edges=5416271,
            features=128,
            feature_nonzeros=736389 * 128,
            classes=349,
            source="ogbn-mag papers and citations, Hu et al. 2020",
            licence="ODC-BY",
            feature_kind=FeatureKind.DENSE,
            symmetric=False,
            note="directed",
            urls=("https://ogb.stanford.edu/docs/nodeprop/#ogbn-mag",),
        ),
    )
}
"""Every data set by name, smallest first."""


def find(name: str) -> DataSet:
    """The entry called ``name``; DataError with the names there are otherwise."""
    if name not in CATALOG:
        raise DataError(f'data set must be one of {", ".join(CATALOG)}, not "{name}"')
    return CATALOG[name]


def table() -> pd.DataFrame:
    """The catalogue with one row per data set."""
    rows = [
        {
            "name": entry.name,
            "nodes": entry.nodes,
            "stored_edges": entry.stored_edges,
            "features": entry.features,
            "feature_nonzeros": entry.feature_nonzeros,
            "classes": entry.classes,
            "source": entry.source,
            "licence": entry.licence,
            "file_sha256": entry.file_sha256,
            "content_sha256": entry.content_sha256,
            "note": entry.note,
            "urls": entry.urls,
        }
        for entry in CATALOG.values()
    ]
    return pd.DataFrame(rows)


def markdown() -> str:
    """The catalogue as the Markdown table of ``data/README.md``, followed by checksums and addresses."""
    lines = [
        "| name | nodes | stored edges | features (nonzeros) | classes | source | licence | note |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for entry in CATALOG.values():
        about = "about " if entry.approximate_features else ""
        width = f"{entry.features} ({about}{entry.feature_nonzeros})"
        lines.append(
            f"| {entry.name} | {entry.nodes} | {entry.stored_edges} | {width} | {entry.classes} | {entry.source} | "
            f"{entry.licence} | {entry.note} |"
        )
    lines += ["", "| name | sha256 of the file | sha256 of the content |", "| --- | --- | --- |"]
    for entry in CATALOG.values():
        if entry.content_sha256:
            lines.append(f"| {entry.name} | `{entry.file_sha256}` | `{entry.content_sha256}` |")
    lines += ["", "| name | published at | `fetch` |", "| --- | --- | --- |"]
    for entry in CATALOG.values():
        if entry.urls:
            more = f" and {len(entry.urls) - 1} more files beside it" if len(entry.urls) > 1 else ""
            lines.append(f"| {entry.name} | <{entry.urls[0]}>{more} | {'yes' if entry.layout else 'no'} |")
    return "\n".join(lines) + "\n"
