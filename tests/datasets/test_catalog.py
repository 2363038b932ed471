"""The catalogue agrees with itself and with data/README.md."""

from pathlib import Path

from fuseflow.datasets import CATALOG, table
from fuseflow.datasets.catalog import markdown

README = Path(__file__).parents[2] / "data" / "README.md"


def test_readme_holds_the_catalogue() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.endswith(markdown()), "paste fuseflow.datasets.catalog.markdown() at the end of data/README.md"


def test_table() -> None:
    rows = table()
    assert list(rows["name"]) == ["karate", "cora", "cora_ml", "dblp", "collab", "mag"] == list(CATALOG)
    assert rows.set_index("name").loc["cora_ml", "stored_edges"] == 16316


def test_entries_are_consistent() -> None:
    for entry in CATALOG.values():
        assert entry.nodes <= entry.feature_nonzeros <= entry.nodes * entry.features
        assert not entry.symmetric or entry.stored_edges % 2 == 0
        assert (entry.layout is None) == (entry.content_sha256 is None)
        for checksum in (entry.file_sha256, entry.content_sha256):
            assert checksum is None or len(checksum) == 64
        assert all(url.startswith("https://") for url in entry.urls)
