"""What endpoints set of requests, and their rules, by REST."""

from typing import Any

import pytest

from routing.models import Endpoint
from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller

RULE = {"key": "german", "conditions": ["x-country is DE"], "backend": "stable", "headers": {"x-prompt": "de"}}


@pytest.fixture(autouse=True)
def _chat(db: None) -> None:
    endpoint()


def test_what_is_sent_is_read(operator: Caller) -> None:
    sent = {
        "headers": {"x-prompt": "v2"},
        "query": {"temperature": "0.2"},
        "rules": [RULE],
        "test_networks": ["::1/128"],
    }

    assert operator.send("PATCH", "endpoints/chat", sent).status_code == 200

    found = operator.get("endpoints/chat").json()
    assert {name: found[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headers", {"x-prompt": 2}),
        ("headers", {"content-length": "0"}),
        ("headers", {"x-sluice-variant": "a/b"}),
        ("headers", {"x-a": "b\r\nc: d"}),
        ("headers", ["x-prompt"]),
        ("query", {"": "x"}),
        ("standby_headers", {"host": "elsewhere"}),
        ("standby_query", "a=b"),
        ("rules", [{**RULE, "conditions": ["country = DE"]}]),
        ("rules", [{**RULE, "headers": {"host": "x"}}]),
        ("rules", [{**RULE, "weight": 2}]),
        ("rules", RULE),
        ("test_networks", ["10.0.0.0/8", "10.0.0.1/8"]),
        ("test_networks", "10.0.0.0/8"),
        ("timeout_seconds", 3_601),
        ("first_byte_seconds", 3_600.5),
        ("idle_seconds", 86_400),
    ],
)
def test_what_cannot_be_set_names_its_field(operator: Caller, field: str, value: Any) -> None:
    answer = operator.send("PATCH", "endpoints/chat", {field: value})

    assert (answer.status_code, [problem["field"].partition(".")[0] for problem in answer.json()["problems"]]) == (
        400,
        [field],
    )
    assert Endpoint.objects.get().version == 1


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([{**RULE, "backend": "gone"}], "backend-unknown"),
        ([{**RULE, "conditions": []}], "rule-invalid"),
        ([RULE, RULE], "rule-duplicate"),
        ([{**RULE, "conditions": ["x-sluice-variant is a"]}], "condition-invalid"),
    ],
)
def test_rules_that_no_edge_could_serve_are_refused(operator: Caller, rules: list[Any], code: str) -> None:
    answer = operator.send("PATCH", "endpoints/chat", {"rules": rules})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert Endpoint.objects.get().rules == []


def test_a_standby_that_is_the_backend_is_refused_from_the_start(operator: Caller) -> None:
    sent = {"key": "new", "name": "New", "path_prefix": "/new", "backend": "stable", "standby": "stable"}

    answer = operator.send("POST", "endpoints", sent)

    assert (answer.status_code, [problem["field"] for problem in answer.json()["problems"]]) == (400, ["standby"])
