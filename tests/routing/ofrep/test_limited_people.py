"""Who is limited to endpoints looks at the flags of all, and neither forces nor records beyond these."""

import json
from typing import Any

import pytest
from django.test import Client

from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import SLUICE
from controlplane.models import Role, User
from experiments.actions.start import start
from routing.publishing.publish import publish
from tests.factories.drafts import draft, endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

FLAGS = "/ofrep/v1/evaluate/flags"
FORCED = {"x-sluice-variant": "theirs/better"}
RECORDED = {"recordExposure": True}


@pytest.fixture
def olga() -> User:
    """An editor at chat, which has the flag ours; the endpoint other has theirs."""
    endpoint("other")
    start(draft("ours", traffic=10), actor=SLUICE)
    start(draft("theirs", endpoint="other", traffic=10), actor=SLUICE)
    publish("test")
    return User.objects.create_user("olga", role=Role.EDITOR, endpoints=["chat"])


def ask(olga: User, path: str, context: dict[str, Any], *, endpoints: tuple[str, ...] = ()) -> tuple[int, Any]:
    secret = issue_token(olga, "pipeline", role=Role.EDITOR, endpoints=endpoints)
    body = {"context": {"targetingKey": "ada", **context}}
    headers = {"authorization": f"Bearer {secret}"}
    answer = Client(headers=headers).post(f"{FLAGS}{path}", body, content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_all_flags_are_seen_one_by_one_as_together(olga: User) -> None:
    status, content = ask(olga, "", {})
    assert (status, {flag["key"] for flag in content["flags"]}) == (200, {"ours", "theirs"})
    status, content = ask(olga, "/theirs", {})
    assert (status, content["metadata"]["endpoint"]) == (200, "other")


@pytest.mark.parametrize("path", ["", "/theirs"])
@pytest.mark.parametrize(("context", "code"), [(FORCED, "variant-refused"), (RECORDED, "endpoint-missing")])
def test_nothing_is_forced_or_recorded_elsewhere(olga: User, path: str, context: dict[str, Any], code: str) -> None:
    status, content = ask(olga, path, context)
    assert (status, content["code"]) == (403, code)
    assert "the endpoint other" in content["detail"]


@pytest.mark.parametrize("context", [{"x-sluice-variant": "ours/better"}, RECORDED])
def test_at_the_own_endpoint_both_may_be(olga: User, context: dict[str, Any]) -> None:
    assert ask(olga, "/ours", context)[0] == 200
    assert ask(olga, "", context, endpoints=("chat",))[0] == 200
