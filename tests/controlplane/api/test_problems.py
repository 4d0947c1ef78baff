"""Errors: their form, their words, and that nonsense never breaks anything."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.experiments.drafts import backend, draft, draft_data, endpoint
from tests.people import Caller

nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
WRITE_PATHS = (
    ("POST", "backends"),
    ("PATCH", "backends/stable"),
    ("POST", "endpoints"),
    ("PATCH", "endpoints/chat"),
    ("POST", "metrics"),
    ("PATCH", "metrics/latency"),
    ("POST", "experiments"),
    ("POST", "experiments/waiting/start"),
    ("POST", "experiments/waiting/halt"),
    ("POST", "experiments/waiting/promote"),
    ("POST", "events"),
)


@pytest.fixture(autouse=True)
def _things(db: None) -> None:
    endpoint()
    draft("waiting", traffic=10)


def problem(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) == {"type", "title", "status", "detail", "code", "next_step", "problems", "request_id"}
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:sluice:{body['code']}"
    assert body["request_id"] == answer["X-Request-Id"]
    assert "_" not in body["code"]
    assert body["detail"]
    assert body["next_step"].endswith(".")
    return body


@given(body=nonsense, data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_is_refused_and_breaks_nothing(operator: Caller, body: object, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(WRITE_PATHS))
    answer = operator.send(method, path, body)
    assert answer.status_code < 500 or answer.status_code == 503
    if answer.status_code >= 400:
        problem(answer)


@given(mutation=nonsense, data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_form_with_one_wrong_part_is_refused(operator: Caller, mutation: object, data: st.DataObject) -> None:
    form = draft_data("fuzzed")
    place = data.draw(st.sampled_from([form, form["plan"], form["plan"]["stages"][0], form["candidates"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = mutation
    answer = operator.send("POST", "experiments", form)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert operator.send("DELETE", f"experiments/{json.loads(answer.content)['key']}").status_code == 204


def test_broken_json_names_line_and_column(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", b'{\n "key": nope}'))
    assert body["status"] == 400
    assert "line 2, column 9" in body["detail"]


def test_every_wrong_field_is_named(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", {"key": "Bad Key", "adresses": []}))
    assert {field["field"] for field in body["problems"]} >= {"adresses"}
    body = problem(operator.send("POST", "backends", {"key": "Bad Key", "name": "", "addresses": []}))
    assert {field["field"] for field in body["problems"]} == {"key", "name", "addresses"}


def test_a_problem_of_a_list_names_the_index(operator: Caller) -> None:
    events = {"events": [{"id": "1", "name": "ok", "unit": "ada"}, {"id": "2", "name": "ok"}]}
    body = problem(operator.send("POST", "events", events))
    assert [field["field"] for field in body["problems"]] == ["events.1"]


@pytest.mark.parametrize("path", ["nothing", "backends/", "backends/none", "experiments/none/decisions"])
def test_what_does_not_exist_is_a_problem_too(operator: Caller, path: str) -> None:
    assert problem(operator.get(path))["status"] == 404


def test_a_wrong_method_and_a_wrong_type_are_problems_too(operator: Caller) -> None:
    assert problem(operator.send("PUT", "backends/stable", {}))["status"] == 405
    answer = operator.client.post("/api/v1/backends", "key=a", content_type="text/plain")
    assert problem(answer)["status"] == 415


def test_an_address_that_edges_cannot_use_is_refused(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", {"key": "b", "name": "B", "addresses": ["not an address"]}))
    assert body["status"] == 400
    assert operator.get("backends/b").status_code == 404


def test_what_is_in_use_cannot_be_removed(operator: Caller) -> None:
    backend("stable")
    body = problem(operator.send("DELETE", "backends/stable"))
    assert (body["status"], body["code"]) == (409, "in-use")
