"""``docs/reproduction.md`` from runs of ``fuseflow paper``: ``python -m benchmarks.reproduction TITLE=FOLDER ...``.

Every folder is the ``--out`` of one run. A figure is taken from the first folder that has it; what a folder repeats of
another, the artifact's configuration, comes below it. Charts go to ``docs/images/paper``, rows to ``docs/paper``.
"""

import re
import shutil
import sys
from pathlib import Path

from fuseflow.paper import EXPERIMENTS

DOCS = Path("docs")
IMAGES = DOCS / "images" / "paper"
ROWS = DOCS / "paper"
"""The rows behind the page, which the notebooks show."""


def main(arguments: list[str]) -> int:
    """Write the page."""
    folders = [(title, Path(folder)) for title, _, folder in (item.partition("=") for item in arguments)]
    IMAGES.mkdir(parents=True, exist_ok=True)
    ROWS.mkdir(exist_ok=True)
    lines = [(Path(__file__).parent / "reproduction_head.md").read_text(encoding="utf-8").rstrip(), ""]
    for name, experiment in EXPERIMENTS.items():
        lines += [f"## {experiment.title}", "", f"Claim: {experiment.claim}", ""]
        found = [(title, folder / name) for title, folder in folders if (folder / name / "comparison.md").exists()]
        if not found:
            lines += ["Not run.", ""]
        for number, (_, folder) in enumerate(found):
            shutil.copy(folder / "data.csv", ROWS / (f"{name}.csv" if number == 0 else f"{name}-artifact.csv"))
        for number, (title, folder) in enumerate(found):
            if (folder / "chart.svg").exists() and number == 0:
                shutil.copy(folder / "chart.svg", IMAGES / f"{name}.svg")
                lines += [f"![{experiment.title}](images/paper/{name}.svg)", ""]
            lines += [f"**{title}**", "", _body(folder / "comparison.md"), ""]
    (DOCS / "reproduction.md").write_text(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n", encoding="utf-8")
    return 0


def _body(path: Path) -> str:
    """The comparison from the line that says how it was made."""
    text = path.read_text(encoding="utf-8")
    return text[text.index("Mode ") :].strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
