"""``python -m fuseflow`` is the command ``fuseflow``."""

from fuseflow.cli import app

if __name__ == "__main__":
    app(prog_name="fuseflow")
