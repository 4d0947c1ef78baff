"""A forecast by REST."""

import json
from typing import Any

import pytest

from controlplane.models import AuditEvent
from experiments.models import Metric
from tests.factories.drafts import draft, draft_data
from tests.visitors.callers import Caller

ERRORS = {"value": 0.01, "standard_deviation": None, "requests_per_user": 5, "correlation": 0.1}
STATED = {"users_per_hour": 500, "baselines": {"error-rate": ERRORS}}
LONG = {**draft_data()["plan"], "maximum_seconds": 14 * 86_400}


@pytest.fixture(autouse=True)
def _draft(db: None) -> None:
    draft(plan=LONG)


def ask(caller: Caller, body: object = None) -> Any:
    answer = caller.send("POST", "experiments/canary/forecast", body)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def refused(caller: Caller, body: object, key: str = "canary") -> Any:
    answer = caller.send("POST", f"experiments/{key}/forecast", body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    return json.loads(answer.content)


def test_what_is_stated_is_enough(viewer: Caller) -> None:
    said = ask(viewer, STATED)
    assert said["summary"].startswith("Needs about ")
    assert " at stated traffic. Some users send about " in said["summary"]
    assert said["needs"]["binding_metric"] == "error-rate"
    assert said["metrics"][0]["source"] == "stated"
    assert said["arrivals"] == {"users_first_hour": 500.0, "exponent": 1.0, "source": "stated"}
    assert [stage["coverage"] for stage in said["duration"]["stages"]] == [10.0, 100.0]
    assert [each["scenario"] for each in said["simulation"]["scenarios"]][:2] == ["no effect", "error-rate +25 %"]


def test_without_history_it_says_what_to_do(viewer: Caller) -> None:
    said = ask(viewer)
    for obstacle in (said["needs"]["obstacle"], said["duration"]["obstacle"], said["simulation"]["obstacle"]):
        assert obstacle["code"] == "baseline-missing"
    assert "send traffic to chat" in said["summary"]
    assert said["arrivals_obstacle"]["code"] == "arrivals-missing"


def test_nothing_is_written(viewer: Caller) -> None:
    before = AuditEvent.objects.count()
    ask(viewer, STATED)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"users_per_hour": 0}, "users_per_hour"),
        ({"users_per_day": 5}, "users_per_day"),
        ({"exponent": 0.5}, "body"),
        ({"baselines": {"unheard-of": ERRORS}}, "baselines.unheard-of"),
        ({"baselines": {"error-rate": {}}}, "baselines.error-rate.value"),
        ({"baselines": {"error-rate": {**ERRORS, "value": 3}}}, "baselines.error-rate.value"),
        ({"baselines": {"error-rate": {**ERRORS, "correlation": 2}}}, "baselines.error-rate.correlation"),
        (
            {"baselines": {"error-rate": {**ERRORS, "standard_deviation": -1}}},
            "baselines.error-rate.standard_deviation",
        ),
        ([], "body"),
    ],
)
def test_nonsense_is_refused_by_its_field(body: object, field: str, viewer: Caller) -> None:
    assert [problem["field"] for problem in refused(viewer, body)["problems"]] == [field]


def test_a_mean_needs_a_standard_deviation(viewer: Caller) -> None:
    Metric.objects.create(key="spent", name="Spent", type="mean", numerator="cost", direction="decrease")
    guardrail = {"metric": "spent", "role": "guardrail", "margin": 0.1, "margin_kind": "relative"}
    draft("spending", plan={**LONG, "metrics": [guardrail]})
    said = refused(viewer, {"baselines": {"spent": {"value": 0.01}}}, "spending")
    assert said["problems"][0]["field"] == "baselines.spent.standard_deviation"


def test_an_unknown_experiment_is_not_found(viewer: Caller) -> None:
    assert viewer.send("POST", "experiments/none/forecast", {}).status_code == 404
