"""A plan that was started keeps what its metrics meant then; drafts take what they mean now."""

from dataclasses import replace
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.metrics.edit_metric import edit_metric
from experiments.models import Experiment, Metric, MetricEdition
from experiments.plan.as_judged import metric_definitions, pure_plan
from experiments.stats.core.types import Direction, MetricType
from tests.experiments.views.findings import found, measured
from tests.factories.drafts import draft, draft_data
from tests.visitors import pages
from tests.visitors.callers import caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

ANEW = {"type": "mean", "numerator": "requests", "direction": "increase", "display_unit": "a user", "cap": 9.0}


def with_failed_users(key: str, **changes: Any) -> Experiment:
    plan = {**draft_data()["plan"], "metrics": [{"metric": "failed-users", "role": "guardrail", "margin": 0.1}]}
    return draft(key, plan=plan, traffic=10, **changes)


def redefine(**changes: Any) -> None:
    edit_metric(Metric.objects.get(key="failed-users"), changes, actor=SLUICE)


def fresh(experiment: Experiment) -> Experiment:
    """As it is now."""
    return Experiment.objects.get(pk=experiment.pk)


def meant(experiment: Experiment) -> tuple[MetricType, str, float | None, Direction, str]:
    """How `failed-users` is computed, which way is better, and how it is written, in an experiment's plan."""
    now = fresh(experiment)
    [definition] = [each for each in metric_definitions(now) if each.key == "failed-users"]
    plan = pure_plan(now)
    [judged] = [each for each in plan.metrics if each.key == "failed-users"]
    label = plan.labels["failed-users"]
    return definition.type, definition.numerator, definition.cap, judged.direction, label.display_unit


def results_of(key: str) -> str:
    """The table of results on an experiment's page."""
    page = text(visitor(Role.VIEWER), f"/experiments/{key}")
    return page[(begins := page.index("cards results")) : page.index("</table>", begins)]


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
    start(fresh(experiments[1]), actor=SLUICE)
    redefine(**ANEW)
    start(fresh(experiments[2]), actor=SLUICE)
    redefine(**ANEW, name="Requests a user")
    start(fresh(experiments[3]), actor=SLUICE)

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


def test_a_draft_that_was_seen_with_another_meaning_is_not_started() -> None:
    with_failed_users("waiting")
    operator, browser = caller(Role.APPROVER), visitor(Role.APPROVER)
    seen, page = operator.get("experiments/waiting").headers["ETag"], pages.opened(browser, "/experiments/waiting")

    redefine(**ANEW)

    answer = operator.client.post("/api/v1/experiments/waiting/start", headers={"If-Match": seen})
    browser.post("/experiments/waiting/start", page)
    assert (answer.status_code, Experiment.objects.get(key="waiting").state) == (412, "draft")
    browser.post("/experiments/waiting/start", pages.opened(browser, "/experiments/waiting"))
    assert Experiment.objects.get(key="waiting").state == "running"


def test_the_api_tells_what_a_started_plan_measures() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    redefine(**ANEW)

    listed = caller(Role.VIEWER).get("experiments/started").json()["plan"]["metrics"]
    [told] = [each for each in listed if each["metric"] == "failed-users"]

    meaning = told["meaning"]
    assert told["edition"] == 1
    assert (meaning["type"], meaning["numerator"], meaning["direction"]) == ("proportion", "errors", "decrease")


def test_the_results_of_a_started_one_are_written_as_its_plan_has_them() -> None:
    experiment = with_failed_users("started")
    start(experiment, actor=SLUICE)
    [result] = [each for each in found().metrics if each.metric == "error-rate"]
    measured(experiment, replace(found(), metrics=(replace(result, metric="failed-users"),)))
    before = results_of("started")

    redefine(**ANEW)

    assert "lower is better" in before
    assert results_of("started") == before


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

    form = text(visitor(Role.APPROVER), "/metrics/failed-users/edit")

    assert 'data-label="Plans"><span>1</span>' in text(visitor(Role.VIEWER), "/metrics")
    assert "/experiments/started" in form
    assert "with what it meant before" in form


def test_an_edition_is_protected_with_its_metric() -> None:
    start(with_failed_users("started"), actor=SLUICE)
    assert (
        "is part of a plan" in visitor(Role.APPROVER).post("/metrics/failed-users/delete", follow=True).content.decode()
    )
    assert Metric.objects.filter(key="failed-users").exists()
