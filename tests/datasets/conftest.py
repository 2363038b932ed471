"""Tests see the data folder of the user only where they ask for it."""

import pytest

from fuseflow.datasets import DIRECTORY_VARIABLE


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
