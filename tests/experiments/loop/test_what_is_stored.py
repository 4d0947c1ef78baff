"""What ticks store of an experiment in the database is bounded, however many there are."""

import json
from datetime import datetime
from itertools import pairwise

import pytest

from experiments.loop.reconcile import reconcile
from experiments.models import Analysis, CoursePoint, Decision, Experiment, State
from tests.experiments.loop.evidence import fresh, later
from tests.experiments.views.findings import running

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

TICKS = 30
AN_HOUR = 6


def stand_still(experiment: Experiment, since: datetime | None) -> None:
    """Paused, or not, as if nobody had told the edges."""
    state = State.PAUSED if since else State.RUNNING
    Experiment.objects.filter(pk=experiment.pk).update(state=state, paused_at=since)


def size(*columns: object) -> int:
    return sum(len(json.dumps(column)) for column in columns)


@pytest.mark.usefixtures("own_lake")
def test_causes_that_come_and_go_are_told_so_often_an_hour_and_the_rest_is_thinned_out() -> None:
    """Each tick holds for another cause than the one before: a day of that leaves a million bytes at the most."""
    experiment = running()
    for number in range(TICKS):
        moment = later(experiment, 3600 * number / TICKS)
        stand_still(experiment, moment if number % 2 else None)
        reconcile(fresh(experiment), now=moment)

    decisions = Decision.objects.order_by("sequence")
    codes = list(decisions.values_list("code", flat=True))
    assert len(codes) == AN_HOUR
    assert all(before != after for before, after in pairwise(codes))
    assert Analysis.objects.count() == TICKS
    assert CoursePoint.objects.count() == TICKS
    written = sum(map(size, decisions.values_list("evidence", flat=True)))
    behind = Analysis.objects.filter(decisions__isnull=False).values_list("results", "evidence")
    assert 24 * (written + sum(size(*columns) for columns in behind)) < 1_000_000
