"""A guardrail that cannot fire as the control stands is said to be none, and nothing is promoted behind its back."""

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.decide import DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from experiments.plan.spec import read_spec
from tests.experiments.loop.evidence import USERS, fresh, later, measure
from tests.factories.drafts import draft, draft_data

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def started(margin: float, margin_kind: str) -> Experiment:
    plan = draft_data()["plan"]
    guardrail = {**plan["metrics"][0], "margin": margin, "margin_kind": margin_kind}
    stages = [{"coverage": 100, "soak_seconds": 60}]
    experiment = draft(plan={**plan, "metrics": [guardrail], "stages": stages})
    start(experiment, actor=SLUICE)
    return experiment


def test_twice_as_many_failures_as_a_control_that_fails_most_are_more_than_all(lake: str) -> None:
    """Of 300 users 210 meet an error, in the other arm all: 30 points more, where 70 are accepted."""
    running = started(1.0, "relative")
    measure(lake, running, control_errors=210, candidate_errors=USERS)

    decision = reconcile(running, now=later(running, 70))

    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "guardrail-cannot-fire")
    assert decision.reason.startswith(
        "The guardrail on error-rate cannot fire: it accepts 70.0 percentage points more than the control's 70.0%, and "
        "it is never more than 100.0%."
    )
    assert fresh(running).state == State.RUNNING


def test_one_that_can_is_heeded(lake: str) -> None:
    running = started(0.2, "relative")
    measure(lake, running, control_errors=210, candidate_errors=USERS)

    reconcile(running, now=later(running, 70))

    assert fresh(running).state == State.HALTED


@pytest.mark.parametrize("effect", [10.01, 1e12])
def test_no_plan_looks_for_huge_effects_alone(effect: float) -> None:
    data = draft_data()
    data["plan"]["metrics"][0]["minimum_effect"] = effect
    with pytest.raises(Exception, match="minimum_effect"):
        read_spec(data)
