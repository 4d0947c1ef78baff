"""Rows that edges have lost keep an experiment from going on where they may hide harm, and never from being halted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from experiments.decide import Decision, DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment
from routing.lake.schema import REQUESTS
from routing.models import Edge, Endpoint
from routing.publishing.publish import publish
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

USERS = 300


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def rows(experiment: Experiment, variant: str, errors: int, first_unit: int) -> Iterator[dict[str, Any]]:
    assert experiment.started_at is not None
    for number in range(USERS):
        yield request_row(
            f"{variant}-{number}",
            time=(experiment.started_at + timedelta(milliseconds=300 * number)).isoformat(),
            unit=first_unit + number,
            experiment=experiment.key,
            variant=variant,
            status=500 if number < errors else 200,
        )


def decide(lake: str, experiment: Experiment, errors: int = 0) -> Decision:
    """What is decided once the first stage has soaked."""
    store(lake, REQUESTS, [*rows(experiment, "control", 0, 0), *rows(experiment, "better", errors, USERS)])
    assert experiment.stage_entered_at is not None
    decision = reconcile(experiment, now=experiment.stage_entered_at + timedelta(seconds=90))
    assert decision is not None
    return decision


def lose(control: int, better: int, *, experiment: str = "canary", untold: bool = False) -> None:
    """Have the edge tell that it lost so many rows of each arm, and some that it cannot tell."""
    moment = timezone.now().isoformat()
    when = {"run": "one", "since": moment, "until": moment}
    losses: list[dict[str, Any]] = [
        {**when, "backend": "stable", "experiment": experiment, "variant": "control", "rows": control},
        {**when, "backend": "candidate", "experiment": experiment, "variant": "better", "rows": better},
    ]
    if untold:
        losses.append({**when, "backend": "", "experiment": "", "variant": "", "rows": None})
    Edge.objects.create(name="local", seen_at=timezone.now(), losses=losses)


def test_without_a_loss_it_advances(lake: str, running: Experiment) -> None:
    assert decide(lake, running).kind == DecisionKind.ADVANCE


def test_what_is_lost_alike_is_said_and_keeps_nothing_back(lake: str, running: Experiment) -> None:
    lose(120, 110)
    assert decide(lake, running).kind == DecisionKind.ADVANCE
    analysis = running.analyses.first()
    assert analysis is not None
    assert [found["code"] for found in analysis.results["findings"]] == ["records-lost"]


def test_what_is_lost_of_one_arm_more_blocks(lake: str, running: Experiment) -> None:
    lose(0, 40)
    decision = decide(lake, running)
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "records-lost-unevenly")
    assert "11.76% of the answers of better have no record" in decision.reason


def test_what_nobody_can_tell_blocks(lake: str, running: Experiment) -> None:
    lose(0, 0, untold=True)
    decision = decide(lake, running)
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "records-lost-untold")
    assert "Answers of edge local have no record" in decision.reason


def test_what_another_experiment_lost_or_was_lost_before_is_not_its_own(lake: str, running: Experiment) -> None:
    lose(0, 40, experiment="another", untold=True)
    before = (timezone.now() - timedelta(days=1)).isoformat()
    edge = Edge.objects.get()
    edge.losses = [{**loss, "until": before} if loss["rows"] is None else loss for loss in edge.losses]
    edge.save()
    assert decide(lake, running).kind == DecisionKind.ADVANCE


@pytest.mark.parametrize("untold", [True, False])
def test_nothing_of_it_keeps_from_halting(lake: str, running: Experiment, untold: bool) -> None:
    lose(0, 40, untold=untold)
    assert decide(lake, running, errors=150).kind == DecisionKind.HALT


def test_while_its_endpoint_cannot_be_published_nothing_goes_on(lake: str, running: Experiment) -> None:
    Endpoint.objects.update(tiers=[{"key": "easy", "backend": "gone", "longest_bytes": 10}])
    publish("test")
    decision = decide(lake, running)
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "not-published")
    assert "names the backend gone" in decision.reason
