"""Reads of routing: what the table should be, what was published, which edges live."""

from dataclasses import replace
from datetime import timedelta

from routing import models
from routing.edges.heartbeats import read_cuts
from routing.guard import Cut
from routing.models import RoutingTable
from routing.publishing.wanted_table import wanted_table
from routing.table import Table

SILENT_AFTER = timedelta(seconds=10)
"""An edge that has not reported for this long is shown as silent."""


def desired_table(version: int) -> Table:
    """The table that follows from the database as it is now; rows that are broken are left out."""
    return replace(wanted_table().table, version=version)


def latest_table() -> RoutingTable | None:
    """The newest published table."""
    return RoutingTable.objects.order_by("-version").first()


def cuts_of(experiment: str) -> list[Cut]:
    """What edges took out of an experiment: its candidates, each in its present round of the guard."""
    split = models.Split.objects.filter(experiment=experiment).first()
    rounds = {arm["variant"]: arm.get("guard_round", 0) for arm in split.arms[1:]} if split else {}
    told = [cut for edge in models.Edge.objects.order_by("name") for cut in read_cuts(edge.cuts)]
    return [cut for cut in told if cut.experiment == experiment and rounds.get(cut.variant) == cut.guard_round]
