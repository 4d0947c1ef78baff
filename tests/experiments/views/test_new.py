"""The form of a new experiment."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from controlplane.models import Role
from experiments.models import Experiment
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

FILLED = {
    "name": "Second version",
    "key": "chat-v2",
    "hypothesis": "It answers better.",
    "endpoint": "chat",
    "control": "stable",
    "candidates-0-backend": "candidate",
}


@pytest.fixture
def browser(db: None) -> Client:
    endpoint()
    backend("candidate")
    return visitor(Role.APPROVER)


def fields(html: str) -> dict[str, Any]:
    """What a browser would send with the sheet as it stands, but for its buttons."""
    sheet = html[html.index('id="sheet"') : html.index("</form>", html.index('id="sheet"'))]
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", sheet):
        name, value = re.findall(r'name="([^"]+)"', tag)[0], re.search(r'value="([^"]*)"', tag)
        if 'type="checkbox"' not in tag:
            values[name] = unescape(value[1]) if value else ""
        elif " checked" in tag:
            values.setdefault(name, []).append(value[1] if value else "on")
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', sheet, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        values[name] = chosen[1] if chosen else ""
    for name, content in re.findall(r'<textarea name="([^"]+)".*?>(.*?)</textarea>', sheet, re.DOTALL):
        values[name] = unescape(content).strip()
    return values


def sheet(browser: Client, **changes: Any) -> dict[str, Any]:
    return {**fields(text(browser, "/experiments/new")), **FILLED, **changes}


def send(browser: Client, values: dict[str, Any]) -> str:
    return browser.post("/experiments/new", values, follow=True).content.decode()


def test_the_defaults_make_a_sensible_plan(browser: Client) -> None:
    assert "The draft is saved." in send(browser, sheet(browser))
    experiment = Experiment.objects.get()
    assert [stage.coverage for stage in experiment.plan.stages.all()] == [500, 2500, 5000, 10_000]
    assert [stage.soak_seconds for stage in experiment.plan.stages.all()] == [3600, 3600, 3600, 86_400]
    plan = experiment.plan
    assert (plan.alpha, plan.halt_alpha, plan.power, plan.minimum_units) == (0.05, 0.01, 0.8, 100)
    assert (plan.maximum_seconds, plan.tick_seconds) == (14 * 86_400, 10)
    metrics = {m.metric.key: (m.role, m.margin, m.margin_kind) for m in plan.metrics.all()}
    assert metrics == {
        "error-rate": ("guardrail", 0.005, "absolute"),
        "latency": ("guardrail", 0.1, "relative"),
        "client-error-rate": ("guardrail", 0.01, "absolute"),
        "redirect-rate": ("guardrail", 0.01, "absolute"),
        "abandon-rate": ("guardrail", 0.02, "absolute"),
        "truncated-rate": ("guardrail", 0.02, "absolute"),
    }
    backends = [(v.key, v.backend.key) for v in experiment.variants.all()]
    assert backends == [("control", "stable"), ("candidate", "candidate")]


def test_a_default_guardrail_is_off_once_it_is_switched_off_by_name(browser: Client) -> None:
    watched = ["error-rate", "client-error-rate", "abandon-rate", "truncated-rate", "latency"]
    send(browser, sheet(browser, watched=watched))
    plan = Experiment.objects.get().plan
    assert plan.switched_off == ["redirect-rate"]
    by_default = plan.metrics.filter(by_default=True).values_list("metric__key", flat=True)
    assert set(by_default) == {"client-error-rate", "abandon-rate", "truncated-rate"}


def test_dimensions_are_none_until_they_are_chosen(browser: Client) -> None:
    send(browser, sheet(browser))
    send(browser, sheet(browser, key="by-edge", dimensions=["stream", "edge"]))
    chosen = {each.key: each.plan.dimensions for each in Experiment.objects.all()}
    assert sorted(chosen.values()) == [[], ["stream", "edge"]]


def test_a_margin_in_the_metrics_own_unit_is_taken_as_typed(browser: Client) -> None:
    values = sheet(browser, **{"metrics-1-margin": "120", "metrics-1-margin_kind": "absolute"})
    send(browser, values)
    assert Experiment.objects.get().plan.metrics.get(metric__key="latency").margin == 120


@pytest.mark.parametrize("role", ["goal", "observed"])
def test_a_margin_is_kept_as_typed_whatever_the_role(browser: Client, role: str) -> None:
    row = {"metrics-1-metric": "cost-per-request", "metrics-1-role": role, "metrics-1-margin": "7"}
    send(browser, sheet(browser, **row))
    assert Experiment.objects.get().plan.metrics.get(metric__key="cost-per-request").margin == 0.07


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": "Chat V2"}, "Use lower-case letters"),
        ({"name": ""}, "This field is required."),
        ({"candidates-0-backend": "stable"}, "Choose another backend than the control"),
        ({"candidates-0-headers": "x-prompt"}, "has no colon, or repeats a name"),
        ({"candidates-0-headers": "x-prompt: 1\nx-prompt: 2"}, "has no colon, or repeats a name"),
        ({"candidates-0-backend": "gone"}, "Select a valid choice"),
        ({"traffic": "200"}, "less than or equal to 100"),
        ({"metrics-0-margin": "-1"}, "greater than or equal to 0"),
        ({"metrics-0-metric": ""}, "This field is required."),
        ({"metrics-1-metric": "error-rate"}, "A metric may appear only once."),
        ({"metrics-0-role": "observed", "metrics-1-role": "observed"}, "is a guardrail of every plan"),
        ({"stages-1-coverage": "3"}, "must be larger than the one before"),
        ({"stages-0-soak_minutes": "9999999"}, "stages-0-soak_minutes"),
        ({"maximum_days": "0.5"}, "soak for longer than"),
        ({"maximum_days": "500"}, "less than or equal to 365"),
        ({"alpha": "60"}, "less than or equal to 20"),
        ({"key": "taken"}, "There is an experiment called taken already."),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_typed_is_lost(
    browser: Client, changes: dict[str, str], problem: str
) -> None:
    draft("taken")
    values = sheet(browser, **changes)
    page = send(browser, values)
    assert problem in unescape(page)
    assert not Experiment.objects.exclude(key="taken").exists()
    kept = fields(page)
    valid = {name: value for name, value in values.items() if value != "gone" and name != "csrfmiddlewaretoken"}
    assert {name: kept.get(name) for name in valid} == valid


def test_the_same_backend_with_other_parameters_is_another_variant(browser: Client) -> None:
    typed = {"candidates-0-headers": "x-prompt: v2\r\nx-style: a: b", "candidates-0-query": "temperature: 0.2"}
    send(browser, sheet(browser, **{"candidates-0-backend": "stable"}, **typed))
    control, candidate = Experiment.objects.get().variants.all()
    assert (control.headers, control.query) == ({}, {})
    assert candidate.headers == {"x-prompt": "v2", "x-style": "a: b"}
    assert candidate.query == {"temperature": "0.2"}
    page = text(browser, "/experiments/chat-v2")
    assert "x-prompt: v2" in page
    assert "temperature=0.2" in page


def test_a_problem_stands_beside_its_field(browser: Client) -> None:
    page = send(browser, sheet(browser, **{"metrics-1-margin": "-1"}))
    assert re.search(r'id="id_metrics-1-margin_error"><li>', page)
    assert re.search(r'name="metrics-1-margin"[^>]*aria-invalid="true"', page)
    assert not re.search(r'name="metrics-0-margin"[^>]*aria-invalid="true"', page)


def test_rows_are_added_and_taken_away_with_all_else_as_typed(browser: Client) -> None:
    values = sheet(browser, **{"metrics-1-margin": "33", "key": "Half typed"})
    longer = fields(send(browser, {**values, "add_row": "metrics"}))
    assert longer["metrics-TOTAL_FORMS"] == "3"
    assert (longer["metrics-1-margin"], longer["key"], longer["metrics-2-metric"]) == ("33", "Half typed", "")
    shorter = fields(send(browser, {**longer, "remove_row": "metrics-0"}))
    assert shorter["metrics-TOTAL_FORMS"] == "2"
    assert (shorter["metrics-0-metric"], shorter["metrics-0-margin"]) == ("latency", "33")
    stages = fields(send(browser, {**shorter, "remove_row": "stages-3"}))
    assert (stages["stages-TOTAL_FORMS"], stages["stages-2-coverage"]) == ("3", "50")
    assert not Experiment.objects.exists()


def test_adding_a_row_complains_about_nothing(browser: Client) -> None:
    page = send(browser, {**sheet(browser, name="", key="Bad Key"), "add_row": "stages"})
    assert 'class="errorlist"' not in page
    assert "aria-invalid" not in page


@pytest.mark.parametrize("row", ["metrics-99", "nothing-0", "metrics", "metrics-x"])
def test_a_row_that_is_not_there_takes_nothing_away(browser: Client, row: str) -> None:
    kept = fields(send(browser, {**sheet(browser), "remove_row": row}))
    assert (kept["metrics-TOTAL_FORMS"], kept["stages-TOTAL_FORMS"]) == ("2", "4")


def test_without_an_endpoint_the_page_leads_to_one(db: None) -> None:
    page = text(visitor(Role.APPROVER), "/experiments/new")
    assert 'href="/endpoints/new"' in page
    assert 'href="/backends/new"' in page
