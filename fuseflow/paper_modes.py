"""How much of the paper is run, and by whose choices: the words of the command, without what runs it.

Apart from :mod:`fuseflow.paper`, which loads every figure, so that the command knows its choices at once.
"""

from enum import Enum


class Mode(Enum):
    """How much of an experiment is run."""

    FAST = "fast"
    """Minutes for all figures: small data sets, and sizes below the paper's, which the labels say."""
    MEDIUM = "medium"
    COMPLETE = "complete"
    """The paper's sizes, seeds and memory models."""


class Configuration(Enum):
    """Whose choices the models follow."""

    SAME_WORK = "same-work"
    """The same work under every schedule, as the paper's text states it: what is plotted by default."""
    ARTIFACT = "artifact"
    """The choices of the published artifact, where its cycles are to be met."""
