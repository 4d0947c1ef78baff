"""Each due experiment is taken by one worker, once a tick."""

from datetime import timedelta

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.loop.claim_due import claim_due
from experiments.models import Experiment
from tests.factories.drafts import draft

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_due_experiment_is_claimed_once_a_tick() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    now = timezone.now()
    assert claim_due(now) == [experiment.pk]
    assert claim_due(now) == []
    assert claim_due(now + timedelta(seconds=9)) == []
    assert claim_due(now + timedelta(seconds=10)) == [experiment.pk]


def test_missed_ticks_are_not_made_up_for_in_a_burst() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    late = timezone.now() + timedelta(hours=1)
    assert claim_due(late) == [experiment.pk]
    assert claim_due(late + timedelta(seconds=1)) == []


def test_drafts_and_ended_experiments_are_never_due() -> None:
    draft("waiting", traffic=10)
    ended = draft("ended", traffic=10)
    start(ended, actor=SLUICE)
    halt_by_hand(ended, actor=SLUICE, reason="looks wrong")
    assert claim_due(timezone.now() + timedelta(days=1)) == []
    assert Experiment.objects.get(key="ended").next_tick_at is None


def test_where_workers_are_slow_no_more_wait_than_are_live_and_each_has_its_turn() -> None:
    for key in ("one", "two", "three"):
        start(draft(key, traffic=10), actor=SLUICE)
    now = timezone.now()
    all_of_them = set(claim_due(now))
    assert len(all_of_them) == 3

    late = now + timedelta(minutes=1)
    assert claim_due(late, waiting=3) == claim_due(late, waiting=4) == []
    # A worker takes one at a time, and all are due again each time.
    turns = [claim_due(late + step * timedelta(minutes=1), waiting=2) for step in range(6)]
    assert [set(turns[0] + turns[1] + turns[2]), set(turns[3] + turns[4] + turns[5])] == [all_of_them, all_of_them]


def test_one_whose_time_is_from_before_the_clock_was_set_back_has_its_turn() -> None:
    for key in ("one", "two"):
        start(draft(key, traffic=10), actor=SLUICE)
    now = timezone.now()
    ahead = Experiment.objects.get(key="two")
    Experiment.objects.filter(key="one").update(next_tick_at=now - timedelta(hours=1))
    Experiment.objects.filter(key="two").update(next_tick_at=now + timedelta(hours=1))
    assert claim_due(now, waiting=1) == [ahead.pk]
