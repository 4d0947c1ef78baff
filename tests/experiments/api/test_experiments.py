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
    assert [(d["kind"], d["actor"], d["reason"]) for d in decisions] == [("halt", "operator", "it looks wrong")]


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
