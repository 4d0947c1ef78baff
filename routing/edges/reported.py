"""Reads of what edges last reported."""

from datetime import timedelta

from routing import models
from routing.edges.heartbeats import read_cuts
from routing.guard import Cut

SILENT_AFTER = timedelta(seconds=10)
"""An edge that has not reported for this long is shown as silent."""


def cuts_of(experiment: str) -> list[Cut]:
    """What edges ejected of an experiment: its candidates, each in its present round of the guard."""
    split = models.Split.objects.filter(experiment=experiment).first()
    rounds = {arm["variant"]: arm.get("guard_round", 0) for arm in split.arms[1:]} if split else {}
    told = [cut for edge in models.Edge.objects.order_by("name") for cut in read_cuts(edge.cuts)]
    return [cut for cut in told if cut.experiment == experiment and rounds.get(cut.variant) == cut.guard_round]
