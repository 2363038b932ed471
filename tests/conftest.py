"""What all tests share: golden files and the settings of hypothesis."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing with them"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(text, "spmm.dot")`` compares with ``golden/spmm.dot`` beside the test file."""
    folder = Path(request.path).parent / "golden"
    update = request.config.getoption("--update-golden")

    def check(text: str, name: str) -> None:
        path = folder / name
        if update:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if not path.exists():
            pytest.fail(f"{path} is missing; run pytest --update-golden, look at it, and commit it")
        assert text == path.read_text(encoding="utf-8"), f"differs from {path}; if meant so, run pytest --update-golden"

    return check
