"""Every figure and table of the paper as a declared experiment (FuseFlow §8): run, checked, compared."""

from fuseflow.paper.experiment import Configuration, Experiment, Mode, Request, Verdict
from fuseflow.paper.registry import EXPERIMENTS, chosen
from fuseflow.paper.reproduce import reproduce

__all__ = ["EXPERIMENTS", "Configuration", "Experiment", "Mode", "Request", "Verdict", "chosen", "reproduce"]
