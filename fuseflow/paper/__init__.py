"""Every figure and table of the paper as a declared experiment (FuseFlow §8): run, checked, compared."""

from fuseflow.paper.experiment import Configuration, Experiment, Mode, Request, Verdict
from fuseflow.paper.registry import EXPERIMENTS, chosen
from fuseflow.paper.reproduce import reproduce
from fuseflow.paper.shown import Shown, shown, stored

__all__ = [
    "EXPERIMENTS",
    "Configuration",
    "Experiment",
    "Mode",
    "Request",
    "Shown",
    "Verdict",
    "chosen",
    "reproduce",
    "shown",
    "stored",
]
