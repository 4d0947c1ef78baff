"""A small share of answers that are hugely slow halts as failures do, however slow they are, and is told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.evidence import collect_evidence
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from experiments.plan.as_judged import metric_definitions
from routing.lake.schema import REQUESTS
from tests.experiments.loop.evidence import USERS, fresh, later
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

REQUESTS_EACH = 8
PLAN = {
    **draft_data()["plan"],
    "switched_off": ["client-error-rate", "redirect-rate", "abandon-rate", "truncated-rate"],
}


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def running() -> Experiment:
    experiment = draft(plan=PLAN)
    start(experiment, actor=SLUICE)
    return experiment


def arm(experiment: Experiment, variant: str, first_unit: int, every: int, slow_ms: float) -> Iterator[dict[str, Any]]:
    """8 requests of each of 300 users; each of so many takes long, and the others a second."""
    assert experiment.started_at is not None
    for number in range(USERS * REQUESTS_EACH):
        yield request_row(
            f"{variant}-{number}",
            time=(experiment.started_at + timedelta(seconds=number / REQUESTS_EACH / 6)).isoformat(),
            unit=first_unit + number // REQUESTS_EACH,
            experiment=experiment.key,
            variant=variant,
            stage=0,
            duration_ms=slow_ms if every and number % every == 0 else 1000.0,
        )


def judged(lake: str, experiment: Experiment, *, control: int, candidate: int, slow_ms: float) -> Experiment:
    rows = (*arm(experiment, "control", 0, control, slow_ms), *arm(experiment, "better", USERS, candidate, slow_ms))
    store(lake, REQUESTS, [*rows])
    reconcile(fresh(experiment), now=later(experiment, 60))
    return fresh(experiment)


@pytest.mark.parametrize("slow_ms", [12_000.0, 280_000.0])
def test_one_answer_in_forty_that_takes_long_halts(lake: str, running: Experiment, slow_ms: float) -> None:
    halted = judged(lake, running, control=0, candidate=41, slow_ms=slow_ms)
    assert halted.state == State.HALTED
    decision = halted.decisions.latest("id")
    assert decision.code == "guardrail-harmed"
    assert "2.46 % for better against 0 % for control, from 300 and 300 users" in decision.reason
    assert "The share of answers that took more than " in decision.reason
    assert decision.reason.endswith("worse than the accepted margin of 0.5 percentage points.")


def test_answers_that_take_as_long_in_both_arms_halt_nothing(lake: str, running: Experiment) -> None:
    assert judged(lake, running, control=5, candidate=5, slow_ms=60_000.0).state == State.RUNNING


def test_the_control_is_held_to_a_duration_that_is_lower_by_the_margin(lake: str, running: Experiment) -> None:
    store(lake, REQUESTS, [*arm(running, "control", 0, 1, 4200.0), *arm(running, "better", USERS, 1, 4200.0)])
    assert running.started_at is not None
    definitions = metric_definitions(running)
    sums = collect_evidence(lake, running.key, running.started_at, definitions).evidence.sums
    every = USERS * REQUESTS_EACH
    found = {variant: sums["latency over 5000 ms", variant].sum_y for variant in ("control", "better")}
    assert found == {"control": every, "better": 0.0}
