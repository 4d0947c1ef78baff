"""Metrics of every type by REST: what is sent is what is read, and what makes no sense names its field."""

import json
from typing import Any

import pytest

from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db

COMMON = {"key": "new", "name": "New", "direction": "decrease"}


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "quantile", "numerator": "duration_ms", "level": 0.9},
        {"type": "mean", "numerator": "cost", "cap": 12.5},
        {"type": "proportion", "numerator": "outcome_count(visit)", "window_from_hours": 168, "window_to_hours": 336},
        {"type": "mean", "numerator": "outcome(sale)", "window_to_hours": 24},
        {"type": "ratio", "numerator": "above(ttft_ms, 750)", "denominator": "count(ttft_ms)"},
        {"type": "ratio", "numerator": "outcome(sale)", "denominator": "requests", "settling_seconds": 7200.0},
        {"type": "ratio", "numerator": "errors", "denominator": "requests", "conditions": ["stream is true"]},
        {"type": "proportion", "numerator": "requests", "window_from_hours": 24, "window_to_hours": 48},
        {"type": "f1", "numerator": "called-spam", "denominator": "is-spam"},
        {"type": "accuracy", "numerator": "called-spam", "denominator": "is-spam"},
    ],
    ids=lambda fields: fields["type"],
)
def test_every_type_is_kept_as_sent(operator: Caller, fields: dict[str, Any]) -> None:
    answer = operator.send("POST", "metrics", COMMON | fields)
    assert answer.status_code == 201, answer.content
    read = json.loads(operator.send("GET", "metrics/new").content)
    assert {name: read[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"type": "quantile", "numerator": "duration_ms"}, "level"),
        ({"type": "quantile", "numerator": "duration_ms", "level": 90}, "level"),
        ({"type": "mean", "numerator": "cost", "level": 0.5}, "level"),
        ({"type": "mean", "numerator": "cost", "cap": -1}, "cap"),
        ({"type": "proportion", "numerator": "errors", "cap": 3}, "cap"),
        ({"type": "ratio", "numerator": "errors", "denominator": "requests", "window_to_hours": 1}, "window_to_hours"),
        (
            {"type": "mean", "numerator": "outcome(sale)", "window_from_hours": 9, "window_to_hours": 2},
            "window_to_hours",
        ),
        ({"type": "mean", "numerator": "errors", "settling_seconds": 60}, "settling_seconds"),
        ({"type": "mean", "numerator": "outcome(sale)", "settling_seconds": -1}, "settling_seconds"),
        ({"type": "mean", "numerator": "errors", "conditions": ["status is 500"]}, "conditions"),
        ({"type": "mean", "numerator": "outcome(sale)", "conditions": ["edge is eu"]}, "conditions"),
        (
            {"type": "f1", "numerator": "called-spam", "denominator": "is-spam", "conditions": ["edge is a"]},
            "conditions",
        ),
        ({"type": "f1", "numerator": "called-spam"}, "denominator"),
        ({"type": "f1", "numerator": "outcome(spam)", "denominator": "is-spam"}, "numerator"),
    ],
)
def test_what_makes_no_sense_names_its_field(operator: Caller, fields: dict[str, Any], wrong: str) -> None:
    answer = operator.send("POST", "metrics", COMMON | fields)
    assert answer.status_code == 400
    problem = json.loads(answer.content)
    assert problem["problems"][0]["field"] == wrong


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "quantile", "numerator": "errors", "level": 0.9}, "metric-quantile"),
        ({"type": "mean", "numerator": "cost", "window_to_hours": 24}, "metric-window"),
        ({"type": "ratio", "numerator": "above(cost)", "denominator": "requests"}, "measure-unknown"),
    ],
)
def test_measures_that_do_not_fit_have_a_name(operator: Caller, fields: dict[str, Any], code: str) -> None:
    answer = operator.send("POST", "metrics", COMMON | fields)
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == code


@pytest.mark.parametrize(
    "changes",
    [
        {"numerator": "outcome(never)"},
        {"denominator": "count(cost)"},
        {"direction": "increase"},
        {"type": "mean", "denominator": ""},
        {"type": "quantile", "numerator": "duration_ms", "denominator": "", "level": 0.5},
        {"type": "mean", "denominator": "", "cap": 0.001},
        {"display_unit": ""},
        {"settling_seconds": 9e6},
    ],
)
@pytest.mark.parametrize("key", list(DEFAULT_MARGINS))
def test_what_a_default_guardrail_measures_stays(operator: Caller, key: str, changes: dict[str, Any]) -> None:
    before = operator.get(f"metrics/{key}").json()
    answer = operator.send("PATCH", f"metrics/{key}", {"name": "Other", **changes})
    assert (answer.status_code, answer.json()["code"]) == (409, "default-guardrail")
    assert answer.json()["next_step"] == "Define a new metric; of this one only name and description can be changed."
    assert operator.get(f"metrics/{key}").json() == before


@pytest.mark.parametrize("key", list(DEFAULT_MARGINS))
def test_a_default_guardrail_is_not_removed(operator: Caller, key: str) -> None:
    answer = operator.send("DELETE", f"metrics/{key}")
    assert (answer.status_code, answer.json()["code"]) == (409, "default-guardrail")
    assert "switched_off" in answer.json()["next_step"]
    assert operator.get(f"metrics/{key}").json()["default_guardrail"] is True


def test_a_default_guardrail_may_be_called_otherwise(operator: Caller) -> None:
    answer = operator.send("PATCH", "metrics/error-rate", {"name": "Failures", "description": "Ours.", "cap": None})
    assert (answer.status_code, answer.json()["name"]) == (200, "Failures")


def test_nobody_takes_the_key_of_one_that_is_gone_for_something_else(operator: Caller) -> None:
    Metric.objects.filter(key="redirect-rate").delete()
    fields = {"key": "redirect-rate", "name": "Mine", "type": "mean", "numerator": "cost", "direction": "decrease"}
    answer = operator.send("POST", "metrics", fields)
    assert (answer.status_code, answer.json()["code"]) == (409, "default-guardrail")
