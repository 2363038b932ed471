"""What the repository promises to someone who has just cloned it."""

import os
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_are_exact_and_from_nowhere_in_particular() -> None:
    for line in PINS:
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {canonical(line.split("==")[0]) for line in PINS if "==" in line}
    wanted = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    missing = {canonical(re.split(r"[<>=!~\[ ;]", each)[0]) for each in wanted} - pinned
    assert not missing, f"not in requirements/constraints.txt: {sorted(missing)}"


def test_every_direct_dependency_has_its_reason() -> None:
    text = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    for each in PROJECT["dependencies"]:
        name = re.split(r"[<>=]", each)[0]
        assert name in text, f"docs/decisions/dependencies.md says nothing of {name}"


def test_both_packages_carry_the_version_of_the_distribution() -> None:
    text = (ROOT / "widgets" / "fuseflow_widgets" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{PROJECT["version"]}"' in text


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench", "lab", "warm", "clean"])
def test_make_has_the_target(target: str) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", text, re.MULTILINE)


def test_conda_users_get_the_same_pins() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "--constraint requirements/constraints.txt" in text
    assert "--editable .[dev,lab]" in text


def test_the_checks_run_as_a_command() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_type_information_is_shipped() -> None:
    assert (ROOT / "fuseflow" / "py.typed").is_file()
    assert (ROOT / "widgets" / "fuseflow_widgets" / "py.typed").is_file()


def test_decision_records_are_numbered_once() -> None:
    numbers = [path.name[:3] for path in (ROOT / "docs" / "decisions").glob("[0-9][0-9][0-9]-*.md")]
    assert len(numbers) == len(set(numbers))
