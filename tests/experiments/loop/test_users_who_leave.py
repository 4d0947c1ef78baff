"""Users who leave once a candidate failed them send no more requests: of all requests their failures are few."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from experiments.decide import DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from routing.lake.schema import REQUESTS
from tests.experiments.loop.evidence import USERS, fresh, later
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

REQUESTS_EACH = 20


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def arm(
    experiment: Experiment, variant: str, first_unit: int, failed_at: dict[int, set[int]]
) -> Iterator[dict[str, Any]]:
    """20 requests of each of 300 users, one in each two seconds; of some users only until the last that fails."""
    assert experiment.started_at is not None
    for number in range(USERS):
        failures = failed_at.get(number, set())
        sent = max(failures) + 1 if failures and -1 not in failures else REQUESTS_EACH
        for place in range(sent):
            yield request_row(
                f"{variant}-{number}-{place}",
                time=(experiment.started_at + timedelta(seconds=1.15 * number + place)).isoformat(),
                unit=first_unit + number,
                experiment=experiment.key,
                variant=variant,
                stage=0,
                status=500 if place in failures else 200,
                result="failed" if place in failures else "success",
            )


def ramp(lake: str, running: Experiment, control: dict[int, set[int]], candidate: dict[int, set[int]]) -> Experiment:
    """All stages of a rollout, as far as they are gone through."""
    store(lake, REQUESTS, [*arm(running, "control", 0, control), *arm(running, "better", USERS, candidate)])
    for seconds in (60, 361):
        reconcile(fresh(running), now=later(running, seconds))

    return fresh(running)


@pytest.mark.parametrize("place", [0, 5])
def test_a_candidate_that_drives_users_away_is_not_promoted(lake: str, running: Experiment, place: int) -> None:
    gone = {number: {place} for number in range(0, USERS, 5)}
    held = ramp(lake, running, {}, gone)
    assert held.state == State.RUNNING
    last = held.decisions.latest("id")
    assert (last.kind, last.code) == (DecisionKind.HOLD, "failed-at-last")
    assert "The latest request of 20.0% of the users of better failed, and of 0.0% of those of control" in last.reason


def test_where_they_leave_in_both_arms_alike_it_is_promoted(lake: str, running: Experiment) -> None:
    gone = {number: {0} for number in range(0, USERS, 5)}
    assert ramp(lake, running, gone, gone).state == State.PROMOTED


def test_failures_that_users_stay_for_are_the_guardrails_alone(lake: str, running: Experiment) -> None:
    """Two requests of each tenth user, which all go on: within the margin of three in a hundred."""
    stay = {number: {-1, 3, 8} for number in range(0, USERS, 10)}
    assert ramp(lake, running, {}, stay).state == State.PROMOTED
