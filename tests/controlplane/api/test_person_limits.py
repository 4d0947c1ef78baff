"""Who is limited to endpoints changes these, and neither which requests they get nor what belongs to all."""

from typing import Any

import pytest
from django.test import Client

from controlplane.accounts.tokens import issue_token
from controlplane.models import Role, User
from routing.models import Endpoint
from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

EVENT = {"id": "1", "name": "click", "unit": "ada"}
NEW = {"key": "new", "name": "New", "path_prefix": "/new", "backend": "stable"}


@pytest.fixture(params=["person", "token"])
def limited(request: pytest.FixtureRequest) -> Caller:
    """An editor who is limited to chat and new, as a person or by the token alone; beside chat is other."""
    endpoint(), endpoint("other")
    limits = ["chat", "new"]
    olga = User.objects.create_user("olga", role=Role.EDITOR, endpoints=limits if request.param == "person" else [])
    secret = issue_token(olga, "pipeline", role=Role.EDITOR, endpoints=limits if request.param == "token" else [])
    return Caller(Client(headers={"authorization": f"Bearer {secret}"}))


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "endpoint-missing"), answer.content


@pytest.mark.parametrize(
    "changes",
    [
        {"path_prefix": "/other/v1"},
        {"hosts": ["api.example.com"]},
        {"methods": ["POST"]},
        {"conditions": ["x-beta is present"]},
        {"model_names": ["large"]},
        {"layer": "other"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_which_requests_an_endpoint_gets_stays(limited: Caller, changes: dict[str, Any]) -> None:
    answer = limited.send("PATCH", "endpoints/chat", changes)
    assert_refused(answer)
    [field] = changes
    assert f"olga is limited to some endpoints, and changing {field} may take" in answer.json()["detail"]
    assert_refused(limited.send("POST", "specs/apply", {"endpoints": [{"key": "chat", "name": "Chat", **changes}]}))
    assert (Endpoint.objects.get(key="chat").path_prefix, Endpoint.objects.get(key="chat").version) == ("/chat", 1)


def test_fields_that_stay_as_they_are_may_be_sent_along(limited: Caller) -> None:
    same = {"path_prefix": "/chat", "hosts": [], "methods": [], "conditions": [], "model_names": [], "layer": "chat"}
    assert limited.send("PATCH", "endpoints/chat", {**same, "timeout_seconds": 20}).status_code == 200
    assert Endpoint.objects.get(key="chat").timeout_seconds == 20


def test_endpoints_neither_come_nor_go(limited: Caller) -> None:
    for answer in (
        limited.send("POST", "endpoints", NEW),
        limited.send("POST", "specs/apply", {"endpoints": [NEW]}),
        limited.send("DELETE", "endpoints/chat"),
    ):
        assert_refused(answer)
    assert set(Endpoint.objects.values_list("key", flat=True)) == {"chat", "other"}


def test_outcomes_belong_to_no_endpoint_alone(limited: Caller) -> None:
    assert_refused(limited.send("POST", "events", {"events": [EVENT]}))
    assert_refused(limited.send("POST", "event-imports", {"name": "outcomes.csv", "size": 1}))
