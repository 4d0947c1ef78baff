"""An experiment's life by REST."""

import json
from typing import Any

import pytest

from tests.factories.drafts import backend, draft_data, endpoint
from tests.visitors.callers import Caller


@pytest.fixture(autouse=True)
def _things(db: None) -> None:
    endpoint()
    backend("candidate")


def call(caller: Caller, method: str, path: str, body: object = None) -> Any:
    answer = caller.send(method, path, body)
    assert answer.status_code < 400, answer.content
    return json.loads(answer.content)


def test_what_is_sent_is_what_is_read(operator: Caller) -> None:
    candidate = {"key": "better", "backend": "candidate", "headers": {"x-prompt": "v2"}}
    sent = draft_data(audience=["x-country is DE"], candidates=[candidate])
    read = call(operator, "POST", "experiments", sent)
    for name in ("key", "name", "endpoint", "audience"):
        assert read[name] == sent[name]
    assert read["control"] == {**sent["control"], "weight": 1, "headers": {}, "query": {}}
    assert read["candidates"] == [{**candidate, "weight": 1, "query": {}}]
    assert [stage["coverage"] for stage in read["plan"]["stages"]] == [10, 100]
    assert read["plan"]["metrics"][0]["margin"] == 0.03
    assert (read["state"], read["stage"], read["plan"]["frozen_at"]) == ("draft", None, None)
    assert read == call(operator, "GET", "experiments/canary")


def test_what_was_written_down_is_what_can_be_sent_again(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data(traffic=10, audience=["x-country is DE"]))
    written = call(operator, "GET", "experiments/canary/spec")
    assert {name: written[name] for name in ("key", "traffic", "audience")} == {
        "key": "canary",
        "traffic": 10,
        "audience": ["x-country is DE"],
    }
    call(operator, "POST", "experiments", {**written, "key": "copy"})
    assert call(operator, "GET", "experiments/copy/spec") == {**written, "key": "copy"}
    before = call(operator, "GET", "experiments/canary")
    assert call(operator, "PATCH", "experiments/canary", written) == before


def test_a_draft_is_changed_in_parts(operator: Caller) -> None:
    before = call(operator, "POST", "experiments", draft_data())
    plan = {**draft_data()["plan"], "looks": 5}
    after = call(operator, "PATCH", "experiments/canary", {"name": "Another", "plan": plan})
    assert after == {**before, "name": "Another", "plan": {**before["plan"], "looks": 5}}
    assert after == call(operator, "GET", "experiments/canary")


def test_a_change_that_cannot_be_used_names_its_fields(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data())
    refused = operator.send("PATCH", "experiments/canary", {"name": "", "guard": {"requests": 1}})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-experiment")
    assert {problem["field"] for problem in refused.json()["problems"]} == {"name", "guard.requests"}
    assert operator.send("PATCH", "experiments/canary", []).status_code == 400


@pytest.mark.usefixtures("redis_server")
def test_a_started_plan_is_not_changed(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data())
    call(operator, "POST", "experiments/canary/start")
    refused = operator.send("PATCH", "experiments/canary", {"name": "Another"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-a-draft")
    assert refused.json()["next_step"] == "Create a new experiment with the changes."


@pytest.mark.usefixtures("redis_server")
def test_a_life_from_draft_to_halt(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data())
    started = call(operator, "POST", "experiments/canary/start")
    assert (started["state"], started["stage"]["number"], started["stage"]["coverage"]) == ("running", 1, 10)
    assert started["plan"]["frozen_at"] is not None
    assert call(operator, "POST", "experiments/canary/pause", {"reason": "lunch"})["state"] == "paused"
    assert call(operator, "POST", "experiments/canary/resume", {})["state"] == "running"
    halted = call(operator, "POST", "experiments/canary/halt", {"reason": "it looks wrong"})
    assert (halted["state"], halted["state_reason"]) == ("halted", "it looks wrong")
    decisions = call(operator, "GET", "experiments/canary/decisions")["results"]
    assert [(d["kind"], d["actor"], d["reason"]) for d in decisions] == [("halt", "approver", "it looks wrong")]


def test_the_table_follows(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data())
    call(operator, "POST", "experiments/canary/start")
    operator.send("POST", "experiments/canary/promote", {"reason": "it looks right"})
    assert call(operator, "GET", "endpoints/chat")["backend"] == "candidate"


def test_lists_can_be_narrowed(operator: Caller) -> None:
    call(operator, "POST", "experiments", draft_data("one", traffic=10))
    call(operator, "POST", "experiments", draft_data("two", traffic=10))
    call(operator, "POST", "experiments/one/start")
    running = call(operator, "GET", "experiments?state=running")["results"]
    assert [experiment["key"] for experiment in running] == ["one"]
    assert call(operator, "GET", "experiments?endpoint=none")["count"] == 0
    assert operator.get("experiments?state=nonsense").status_code == 400
