"""Metrics of every type by REST: what is sent is what is read, and what makes no sense names its field."""

import json
from typing import Any

import pytest

from tests.people import Caller

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
