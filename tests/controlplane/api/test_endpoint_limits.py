"""A token that is limited to endpoints does and sees what belongs to these, and nothing else."""

from typing import Any

import pytest
from django.test import Client

from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import SLUICE
from controlplane.models import Role, Token, User
from experiments.actions.start import start
from routing.publishing.publish import publish
from tests.factories.drafts import draft, draft_data, endpoint
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

EVENT = {"id": "1", "name": "click", "unit": "ada"}
METRIC = {"key": "new", "name": "New", "type": "mean", "numerator": "requests", "direction": "increase"}
QUESTION = {"context": {"targetingKey": "ada"}}


@pytest.fixture
def limited() -> Caller:
    """One that may all within the endpoint chat; beside it is the endpoint other, with an experiment each."""
    endpoint("other")
    start(draft("ours", traffic=10), actor=SLUICE)
    start(draft("theirs", endpoint="other", traffic=10), actor=SLUICE)
    olga = User.objects.create_user("olga", role=Role.ADMIN)
    secret = issue_token(olga, "pipeline", role=Role.ADMIN, endpoints=["chat"])
    return Caller(Client(headers={"authorization": f"Bearer {secret}"}))


def assert_refused(answer: Any, belongs: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "endpoint-missing")
    assert f"is limited to the endpoints chat, and this belongs to {belongs}." in answer.json()["detail"]


def test_what_belongs_to_its_endpoint_is_open(limited: Caller) -> None:
    for path in (
        "endpoints/chat",
        "endpoints/chat/traffic",
        "experiments/ours",
        "experiments/ours/gate",
        "",
        "schema/",
    ):
        assert limited.get(path).status_code == 200, path
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", "endpoints/chat", {"name": "Renamed"}),
        ("POST", "experiments/ours/pause", {}),
        ("POST", "experiments/ours/resume", {}),
        ("POST", "kill-switch", {"on": True, "reason": "looks wrong", "endpoint": "chat"}),
        ("POST", "kill-switch", {"on": False, "reason": "looks right", "endpoint": "chat"}),
        ("POST", "experiments/ours/halt", {"reason": "looks wrong"}),
    ]
    for method, path, body in writes:
        assert limited.send(method, path, body).status_code in (200, 201), path
    assert limited.send("POST", "experiments", draft_data("another")).status_code == 201
    assert limited.send("PATCH", "experiments/another", {"name": "Renamed"}).status_code == 200
    assert limited.send("DELETE", "experiments/another").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "endpoints/other", None),
        ("GET", "endpoints/other/traffic", None),
        ("GET", "experiments/theirs", None),
        ("GET", "experiments/theirs/gate", None),
        ("GET", "experiments/theirs/spec", None),
        ("GET", "experiments/theirs/course", None),
        ("GET", "experiments/theirs/decisions", None),
        ("POST", "experiments/theirs/forecast", {}),
        ("PATCH", "endpoints/other", {"name": "Renamed"}),
        ("POST", "experiments/theirs/halt", {"reason": "looks wrong"}),
        ("POST", "experiments/theirs/promote", {"reason": "looks right"}),
        ("POST", "experiments", draft_data("another", endpoint="other")),
        ("POST", "kill-switch", {"on": True, "reason": "looks wrong", "endpoint": "other"}),
    ],
)
def test_what_belongs_to_another_is_refused_in_words(limited: Caller, method: str, path: str, body: Any) -> None:
    assert_refused(limited.send(method, path, body), "the endpoint other")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(("GET", path, None) for path in ("backends", "metrics", "routing-tables/current", "edges", "specs/export")),
        *(("GET", path, None) for path in ("alerts", "lake", "data-health", "events/counts", "event-imports")),
        ("POST", "metrics", METRIC),
        ("POST", "kill-switch", {"on": True, "reason": "looks wrong"}),
        ("POST", "access-keys", {"client": "mobile", "endpoints": ["chat"]}),
        ("POST", "events", {"events": [EVENT]}),
        ("POST", "erasures", {"user": "ada", "reason": "she asked for it"}),
    ],
)
def test_what_belongs_to_none_is_refused(limited: Caller, method: str, path: str, body: Any) -> None:
    assert_refused(limited.send(method, path, body), "no endpoint alone")


def test_lists_hold_what_belongs_to_it(limited: Caller) -> None:
    limited.send("POST", "kill-switch", {"on": True, "reason": "looks wrong", "endpoint": "chat"})
    assert [row["key"] for row in limited.get("endpoints").json()["results"]] == ["chat"]
    assert [row["key"] for row in limited.get("experiments").json()["results"]] == ["ours"]
    assert [stop["endpoint"] for stop in limited.get("kill-switch").json()["endpoints"]] == ["chat"]


def test_a_draft_does_not_leave_the_endpoint(limited: Caller) -> None:
    limited.send("POST", "experiments", draft_data("another"))
    assert_refused(limited.send("PATCH", "experiments/another", {"endpoint": "other"}), "the endpoint other")


def test_flags_are_those_of_its_endpoint(limited: Caller) -> None:
    publish("test")
    flags = "/ofrep/v1/evaluate/flags"
    answer = limited.client.post(flags, QUESTION, content_type="application/json")
    assert [flag["key"] for flag in answer.json()["flags"]] == ["ours"]
    assert limited.client.post(f"{flags}/ours", QUESTION, content_type="application/json").status_code == 200
    refused = limited.client.post(f"{flags}/theirs", QUESTION, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "endpoint-missing")


def test_a_file_is_planned_and_applied_where_all_of_it_belongs_to_the_endpoint(limited: Caller) -> None:
    ours = {"endpoints": [{"key": "chat", "name": "Chat"}]}
    theirs = {"endpoints": [{"key": "other", "name": "Other"}]}
    for verb in ("plan", "apply"):
        assert limited.send("POST", f"specs/{verb}", ours).status_code == 200
        refused = limited.send("POST", f"specs/{verb}", theirs)
        assert (refused.status_code, refused.json()["code"]) == (403, "endpoint-missing")


def test_a_token_is_limited_on_its_page() -> None:
    endpoint()
    browser = visitor(Role.APPROVER)
    browser.post("/tokens", {"name": "pipeline", "role": "approver", "endpoints": ["chat"]})
    assert Token.objects.get().endpoints == ["chat"]
    assert "on chat alone" in text(browser, "/tokens")
    refused = browser.post("/tokens", {"name": "pipeline", "role": "approver", "endpoints": ["nowhere"]})
    assert "nowhere is not one of the available choices" in refused.content.decode()
