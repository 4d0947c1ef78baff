"""Metrics on their pages."""

import html
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.metrics.checks import check_meaning
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from tests.factories.drafts import draft, draft_data
from tests.visitors import pages
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

TYPED = {
    "key": "thumbs-up",
    "name": "Thumbs-up rate",
    "description": "Answers that users liked.",
    "type": "ratio",
    "numerator": "outcome(thumbs-up)",
    "denominator": "outcome_count(thumbs-up)",
    "direction": "increase",
    "display_unit": "%",
}


def send(path: str, **changes: Any) -> str:
    return visitor(Role.APPROVER).post(path, {**TYPED, **changes}, follow=True).content.decode()


def test_what_is_typed_is_defined() -> None:
    assert "Metric thumbs-up is defined." in send("/metrics/new")
    assert Metric.objects.get(key="thumbs-up").numerator == "outcome(thumbs-up)"
    assert "Answers that users liked." in text(visitor(Role.VIEWER), "/metrics")


def test_the_form_names_every_measure_of_requests() -> None:
    page = text(visitor(Role.APPROVER), "/metrics/new")
    for measure in ("requests", "client_errors", "abandoned", "truncated", "inter_token_ms", "queue_ms", "retries"):
        assert f"<code>{measure}</code>" in page


def test_a_settling_time_is_kept_and_told() -> None:
    send("/metrics/new", settling_seconds="86400")
    assert Metric.objects.get(key="thumbs-up").settling_seconds == 86_400.0
    assert "settles in 86400" in text(visitor(Role.VIEWER), "/metrics")


def test_conditions_are_kept_and_told() -> None:
    send("/metrics/new", numerator="errors", denominator="requests", conditions="edge is eu-1, eu-2\nstream is true")
    assert Metric.objects.get(key="thumbs-up").conditions == ["edge is eu-1, eu-2", "stream is true"]
    assert "· where edge is eu-1, eu-2 · where stream is true" in text(visitor(Role.VIEWER), "/metrics")


@pytest.mark.parametrize(
    ("key", "computed", "better", "unit"),
    [
        ("time-out-rate", ("ratio", "timed_out", "requests"), "decrease", "%"),
        ("cut-off-rate", ("ratio", "cut_off", "requests"), "decrease", "%"),
        ("inter-token-time", ("ratio", "inter_token_ms", "count(inter_token_ms)"), "decrease", "ms"),
        ("cost-per-user", ("mean", "cost", ""), "decrease", ""),
        ("retention-day-1", ("proportion", "requests", ""), "increase", "%"),
        ("retention-day-7", ("proportion", "requests", ""), "increase", "%"),
    ],
)
def test_what_every_installation_has(key: str, computed: tuple[str, str, str], better: str, unit: str) -> None:
    found = Metric.objects.get(key=key)
    assert (found.type, found.numerator, found.denominator) == computed
    assert (found.direction, found.display_unit) == (better, unit)
    assert found.description
    check_meaning(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": "edge is eu", "numerator": "outcome(a)", "denominator": "requests"},
        {"conditions": "edge", "numerator": "errors", "denominator": "requests"},
        {"conditions": "status is 500", "numerator": "errors", "denominator": "requests"},
        {"type": "mean", "numerator": "cost", "denominator": "", "window_to_hours": "24"},
        {
            "type": "mean",
            "numerator": "requests",
            "denominator": "",
            "window_to_hours": "24",
            "conditions": "edge is a",
        },
        {"numerator": "happiness"},
        {"denominator": ""},
        {"type": "mean"},
        {"key": "latency"},
        {"key": "Thumbs Up"},
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_typed_is_lost(changes: dict[str, str]) -> None:
    page = send("/metrics/new", **changes)
    assert 'class="errorlist"' in page or 'role="alert"' in page
    assert "Answers that users liked.</textarea>" in page
    assert not Metric.objects.filter(name="Thumbs-up rate").exists()


def test_a_default_guardrail_of_a_started_plan_is_renamed_and_measures_what_it_did() -> None:
    start(draft(), actor=SLUICE)
    assert "is changed" in pages.send(visitor(Role.APPROVER), "/metrics/error-rate/edit", name="Failed requests")
    error_rate = Metric.objects.get(key="error-rate")
    assert (error_rate.numerator, error_rate.name) == ("errors", "Failed requests")


def test_a_metric_in_a_plan_is_kept_and_another_removed() -> None:
    draft()
    assert "is part of a plan" in send("/metrics/error-rate/delete")
    plan = {**draft_data()["plan"], "metrics": [{"metric": "failed-users", "role": "guardrail", "margin": 0.1}]}
    draft("second", plan=plan)
    assert "The metric failed-users is part of a plan." in send("/metrics/failed-users/delete")
    assert "Metric cost-per-request is removed." in send("/metrics/cost-per-request/delete")
    keys = ("error-rate", "cost-per-request")
    assert set(Metric.objects.filter(key__in=keys).values_list("key", flat=True)) == {"error-rate"}


def test_pages_offer_no_way_to_switch_a_default_guardrail_off() -> None:
    browser = visitor(Role.APPROVER)
    listed = text(browser, "/metrics")
    for key in DEFAULT_MARGINS:
        assert f'aria-label="Remove {key}"' not in listed
        assert "Name it in `switched_off`" in html.unescape(pages.send(browser, f"/metrics/{key}/delete"))
        page = pages.send(browser, f"/metrics/{key}/edit", numerator="requests")
        assert f"{key} guards every plan" in page
        assert "what it measures stays" in page
    assert 'aria-label="Remove failed-users"' in listed
    assert Metric.objects.filter(key__in=DEFAULT_MARGINS).exclude(numerator="requests").count() == len(DEFAULT_MARGINS)


def test_a_default_guardrail_may_be_called_otherwise() -> None:
    pages.send(visitor(Role.APPROVER), "/metrics/error-rate/edit", name="Failures", description="Ours.")
    metric = Metric.objects.get(key="error-rate")
    assert (metric.name, metric.description) == ("Failures", "Ours.")
