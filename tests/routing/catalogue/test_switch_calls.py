"""Blue-green by REST."""

import pytest

from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller


@pytest.fixture(autouse=True)
def _warm(db: None) -> None:
    endpoint(standby="candidate")


def test_a_switch_answers_with_the_endpoint_as_it_is_now(operator: Caller) -> None:
    switched = operator.send("POST", "endpoints/chat/switch", {"to": "candidate"}).json()
    assert (switched["backend"], switched["standby"]) == ("candidate", "stable")
    refused = operator.send("POST", "endpoints/chat/switch", {"to": "candidate"})
    assert (refused.status_code, refused.json()["code"]) == (409, "standby-changed")


@pytest.mark.parametrize("body", [{"standby": "stable"}, {"backend": "candidate"}])
def test_the_standby_is_another_backend(operator: Caller, body: dict[str, str]) -> None:
    answer = operator.send("PATCH", "endpoints/chat", body)
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == ["standby"]


def test_a_standby_is_taken_away_again(operator: Caller) -> None:
    assert operator.send("PATCH", "endpoints/chat", {"standby": None}).json()["standby"] is None


def test_each_side_brings_its_headers_and_query_parameters(operator: Caller) -> None:
    sent = {"headers": {"x-prompt": "v1"}, "standby_headers": {"x-prompt": "v2"}, "standby_query": {"top": "5"}}
    assert operator.send("PATCH", "endpoints/chat", sent).status_code == 200

    switched = operator.send("POST", "endpoints/chat/switch", {}).json()

    names = ("backend", "headers", "query", "standby", "standby_headers", "standby_query")
    assert [switched[name] for name in names] == [
        "candidate",
        {"x-prompt": "v2"},
        {"top": "5"},
        "stable",
        {"x-prompt": "v1"},
        {},
    ]
