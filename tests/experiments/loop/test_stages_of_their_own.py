"""On a real lake: a stage without traffic is not left, pauses count nowhere, and harm that begins late is halted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.pause import pause
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from experiments.plan.as_judged import pure_plan, pure_state
from routing.lake.schema import REQUESTS
from routing.models import Endpoint
from tests.experiments.loop.evidence import fresh
from tests.factories.drafts import draft
from tests.factories.rows import START, request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RATE = 4
"""Users a second and arm."""


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def running() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE, at=START)
    return experiment


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def users(experiment: Experiment, since: float, until: float, failing: float = 0.0) -> Iterator[dict[str, Any]]:
    """New users of both arms all along, each with one request; so many of the candidate's fail."""
    for number in range(round(since * RATE), round(until * RATE)):
        for place, variant in enumerate(("control", "better")):
            fails = place == 1 and (number * failing) % 1.0 >= 1.0 - failing and failing > 0.0
            yield request_row(
                f"{variant}-{number}",
                time=at(number / RATE).isoformat(),
                unit=2 * number + place,
                experiment=experiment.key,
                variant=variant,
                status=500 if fails else 200,
            )


def decided(experiment: Experiment, seconds: float) -> Decision:
    decision = reconcile(fresh(experiment), now=at(seconds))
    assert decision is not None
    return decision


def test_a_stage_whose_traffic_is_cut_is_not_left(lake: str, running: Experiment) -> None:
    store(lake, REQUESTS, list(users(running, 0, 65)))
    assert decided(running, 61).kind is DecisionKind.ADVANCE
    assert fresh(running).stage_index == 1
    later = decided(running, 61 + 600)
    assert (later.kind, later.code) == (DecisionKind.HOLD, "no-new-data")
    assert "No request was recorded since 2026-01-05" in later.reason
    assert fresh(running).state == State.RUNNING


def test_traffic_that_stopped_is_found_within_a_minute(lake: str, running: Experiment) -> None:
    store(lake, REQUESTS, list(users(running, 0, 30)))
    decided(running, 31)
    decided(running, 85)
    results = fresh(running).analyses.order_by("id").values_list("results", flat=True)
    assert [[finding["code"] for finding in each["findings"]] for each in results] == [[], ["no-new-data"]]


def test_few_users_since_a_stage_began_do_not_leave_it(lake: str, running: Experiment) -> None:
    store(lake, REQUESTS, [*users(running, 0, 70), *users(running, 360, 370)])
    decided(running, 61)
    held = decided(running, 61 + 310)
    assert (held.kind, held.code) == (DecisionKind.HOLD, "few-units-2")
    assert "76 of the 100 users" in held.reason


def test_a_long_pause_counts_in_no_clock(running: Experiment) -> None:
    """Paused for a day after 30 s, of a plan that gives an hour: 70 s have soaked, and no time is over."""
    pause(running, actor=SLUICE, at=at(30))
    resume(fresh(running), actor=SLUICE, at=at(30 + 86_400))
    now = at(86_400 + 100)
    state = pure_state(fresh(running), now)
    assert (now - state.started_at).total_seconds() == 100
    assert (now - state.stage_entered_at).total_seconds() == 100
    paused = pure_state(fresh(running), at(86_400 + 30))
    assert (at(86_400 + 30) - paused.started_at).total_seconds() == 30


@pytest.mark.parametrize(("limit", "seconds"), [(20, 20.0), (300, 300.0), (0, 300.0)])
def test_the_longest_answer_is_the_endpoints(running: Experiment, limit: int, seconds: float) -> None:
    Endpoint.objects.update(timeout_seconds=limit)
    assert pure_plan(fresh(running)).longest_answer.total_seconds() == seconds


def test_harm_that_begins_late_is_halted_since_then(lake: str, running: Experiment) -> None:
    """Clean for 50 minutes; then one of five users fails, and two minutes are enough."""
    late = users(running, 3000, 3120, failing=0.2)
    store(lake, REQUESTS, [*users(running, 0, 3000), *late])
    Experiment.objects.update(stage_entered_at=at(0))
    decision = decided(running, 3120)
    assert (decision.kind, decision.variant) == (DecisionKind.HALT, "better")
    assert decision.reason.startswith("Since 2026-01-05 ")
    assert fresh(running).state == State.HALTED
    harm = fresh(running).analyses.get().results["halt"]["later"][0]
    assert at(2600) <= datetime.fromisoformat(harm["since"]) <= at(3060)
