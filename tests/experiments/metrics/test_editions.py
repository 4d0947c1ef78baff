"""A plan that was started keeps what its metrics meant then; drafts take what they mean now."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.metrics.edit_metric import edit_metric
from experiments.models import Experiment, Metric, MetricEdition
from experiments.plan.as_judged import metric_definitions, pure_plan
from experiments.stats.core.types import Direction, MetricType
from tests.factories.drafts import draft, draft_data
from tests.visitors.callers import caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

ANEW = {"type": "mean", "numerator": "requests", "direction": "increase", "display_unit": "a user", "cap": 9.0}


def with_failed_users(key: str, **changes: Any) -> Experiment:
    plan = {**draft_data()["plan"], "metrics": [{"metric": "failed-users", "role": "guardrail", "margin": 0.1}]}
    return draft(key, plan=plan, traffic=10, **changes)


def redefine(**changes: Any) -> None:
    edit_metric(Metric.objects.get(key="failed-users"), changes, actor=SLUICE)


def meant(experiment: Experiment) -> tuple[MetricType, str, float | None, Direction, str]:
    """How `failed-users` is computed, which way is better, and how it is written, in an experiment's plan."""
    fresh = Experiment.objects.get(pk=experiment.pk)
    [definition] = [each for each in metric_definitions(fresh) if each.key == "failed-users"]
    plan = pure_plan(fresh)
    [judged] = [each for each in plan.metrics if each.key == "failed-users"]
    label = plan.labels["failed-users"]
    return definition.type, definition.numerator, definition.cap, judged.direction, label.display_unit


def edition_of(experiment: Experiment) -> MetricEdition | None:
    return experiment.plan.metrics.get(metric__key="failed-users").edition


def test_a_started_plan_keeps_what_its_metric_meant_and_a_draft_does_not() -> None:
    started, waiting = with_failed_users("started"), with_failed_users("waiting")
    start(started, actor=SLUICE)
    before = meant(started)

    redefine(**ANEW)

    assert before == (MetricType.PROPORTION, "errors", None, Direction.DECREASE, "%")
    assert meant(started) == before
    assert meant(waiting) == (MetricType.MEAN, "requests", 9.0, Direction.INCREASE, "a user")


def test_plans_share_an_edition_until_the_metric_means_something_else() -> None:
    experiments = [with_failed_users(key) for key in ("first", "second", "third", "fourth")]
    start(experiments[0], actor=SLUICE)
    redefine(name="Users who failed", owner="The search team", description="Who met an error.")
    start(experiments[1], actor=SLUICE)
    redefine(**ANEW)
    start(experiments[2], actor=SLUICE)
    redefine(**ANEW, name="Requests a user")
    start(experiments[3], actor=SLUICE)

    numbers = [edition.number if (edition := edition_of(each)) else None for each in experiments]
    assert numbers == [1, 1, 2, 2]


def test_a_draft_has_no_edition() -> None:
    assert edition_of(with_failed_users("waiting")) is None


def test_the_page_of_a_started_one_says_that_its_metric_was_defined_anew() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    words = "defined anew since"
    assert words not in text(visitor(Role.VIEWER), "/experiments/started")

    redefine(cap=None, **{name: value for name, value in ANEW.items() if name != "cap"})

    assert words in text(visitor(Role.VIEWER), "/experiments/started")


def test_the_api_tells_where_a_metric_is_used() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    with_failed_users("waiting")

    found = caller(Role.VIEWER).get("metrics/failed-users/uses").json()

    assert [(use["experiment"], use["state"], use["role"], use["edition"]) for use in found["results"]] == [
        ("waiting", "draft", "guardrail", None),
        ("started", "running", "guardrail", 1),
    ]


def test_nobody_else_is_told() -> None:
    answers = {role: caller(role).get("metrics/error-rate/uses").status_code for role in (None, Role.SENDER)}
    assert answers == {None: 401, Role.SENDER: 403}


def test_pages_tell_how_many_plans_use_a_metric_and_which() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    redefine(**ANEW)

    form = text(visitor(Role.OPERATOR), "/metrics/failed-users/edit")

    assert 'data-label="Plans"><span>1</span>' in text(visitor(Role.VIEWER), "/metrics")
    assert "/experiments/started" in form
    assert "with what it meant before" in form


def test_an_edition_is_protected_with_its_metric() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    assert (
        "is part of a plan" in visitor(Role.OPERATOR).post("/metrics/failed-users/delete", follow=True).content.decode()
    )
    assert Metric.objects.filter(key="failed-users").exists()
