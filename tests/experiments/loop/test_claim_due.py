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
