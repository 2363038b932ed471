"""docs/ops.md is made from the handlers."""

from pathlib import Path

import pytest

from fuseflow.frontend import HANDLERS
from fuseflow.frontend.describe import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ops.md"


def test_the_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(markdown(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run pytest tests/frontend/test_describe.py --update-golden"


def test_every_operation_is_described() -> None:
    text = markdown()
    assert all(f"`{name}`" in text for name in HANDLERS)
    assert "|  |" not in text
