"""What is sent as another kind of value than its field has is refused by name, and not read as one."""

from typing import Any

import pytest

from routing.models import Backend
from tests.factories.drafts import backend, draft, draft_data, endpoint
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db

NUMBER, TRUTH = "Send a number, without quotes.", "Send true or false, without quotes."
SENT: list[tuple[str, str, Any, str]] = [
    ("backends/stable", "prompt_price", True, NUMBER),
    ("backends/stable", "prompt_price", "1", NUMBER),
    ("backends/stable", "concurrency", "3", NUMBER),
    ("backends/stable", "http2", "yes", TRUTH),
    ("backends/stable", "http2", 1, TRUTH),
    ("endpoints/chat", "timeout_seconds", "5", NUMBER),
    ("endpoints/chat", "anonymous", "true", TRUTH),
    ("layers/chat", "holdout", "5", NUMBER),
    ("metrics/failed-users", "window_to_hours", False, NUMBER),
]


@pytest.mark.parametrize(("thing", "field", "value", "sentence"), SENT)
def test_it_is_refused_by_name(operator: Caller, thing: str, field: str, value: object, sentence: str) -> None:
    endpoint()
    answer = operator.send("PATCH", thing, {field: value})
    assert (answer.status_code, answer.json()["problems"]) == (400, [{"field": field, "message": sentence}])
    assert Backend.objects.get(key="stable").version == 1


@pytest.mark.parametrize("stated", [{"users_per_hour": True}, {"users_per_hour": "10"}])
def test_neither_does_a_forecast_take_it(operator: Caller, stated: dict[str, Any]) -> None:
    draft()
    answer = operator.send("POST", "experiments/canary/forecast", stated)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "users_per_hour")


@pytest.mark.parametrize("field", ["traffic", "hypothesis", "audience", "plan", "candidates"])
def test_nothing_is_no_value_whether_it_is_created_or_changed(operator: Caller, field: str) -> None:
    endpoint()
    backend("candidate")
    created = operator.send("POST", "experiments", {**draft_data(), field: None})
    draft()
    changed = operator.send("PATCH", "experiments/canary", {field: None})
    assert created.status_code == changed.status_code == 400
    assert created.json()["problems"] == changed.json()["problems"]
