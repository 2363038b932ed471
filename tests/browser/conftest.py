"""Tests in a real browser run with ``make test-browser`` only: they need Chromium and a minute of their own."""

import os
from collections.abc import Iterator

import pytest

if not os.environ.get("FUSEFLOW_BROWSER"):
    collect_ignore_glob = ["test_*.py"]
else:
    from tests.browser.lab import Browser, Lab, chromium, jupyter_lab

    @pytest.fixture(scope="session")
    def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
        with jupyter_lab(tmp_path_factory.mktemp("browser") / "lab") as running:
            yield running

    @pytest.fixture(scope="session")
    def browser() -> Iterator[Browser]:
        with chromium() as running:
            yield running
