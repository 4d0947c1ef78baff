"""What of an experiment a page shows, as its forms carry it: who acts on it acts on that, or not at all."""

from experiments.lifecycle.transition import COMPARED
from experiments.models import Experiment


def seen(experiment: Experiment) -> str:
    """State and stage in words, and behind them all that a verb compares as it writes, and what users have without."""
    compared = " ".join(str(getattr(experiment, name)) for name in COMPARED)
    return f"{state_and_stage(experiment)}|{compared} {experiment.endpoint.version}"


def state_and_stage(experiment: Experiment) -> str:
    """Where it is, within a sentence."""
    return f"{experiment.state} on stage {experiment.stage_index + 1}"
