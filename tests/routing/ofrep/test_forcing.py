"""Who may have a flag say the variant of his choice."""

import json
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Right, Role, Token
from experiments.actions.start import start
from routing.publishing.publish import publish
from routing.resources.issue_key import issue_key
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import Caller, caller

pytestmark = pytest.mark.django_db

FLAGS = "/ofrep/v1/evaluate/flags"
PATHS = [FLAGS, f"{FLAGS}/canary"]


@pytest.fixture(autouse=True)
def running(db: None) -> None:
    start(draft(), actor=SLUICE)
    publish("test")


def ask(asking: Caller, path: str, **context: str) -> tuple[int, dict[str, Any]]:
    forced = {"targetingKey": "qa", "x-sluice-variant": "canary/better", **context}
    answer = asking.client.post(path, {"context": forced}, content_type="application/json")
    content = json.loads(answer.content)
    return answer.status_code, content["flags"][0] if "flags" in content else content


def key_for_tests(*endpoints: str, for_tests: bool = True) -> str:
    opened = [endpoint(key) for key in endpoints]
    key = issue_key("qa", endpoints=opened, expires_at=None, actor=SLUICE, for_tests=for_tests)
    publish("test")
    return key


@pytest.mark.parametrize("path", PATHS)
def test_a_token_that_may_look_forces_nothing(path: str) -> None:
    for key in ({}, {"x-sluice-key": "wrong"}, {"x-sluice-key": key_for_tests(for_tests=False)}):
        status, refused = ask(caller(Role.VIEWER), path, **key)

        assert (status, refused["code"], refused["errorCode"]) == (403, "variant-refused", "GENERAL")
        assert refused["errorDetails"] == f"{refused['detail']} {refused['next_step']}"
        assert "chat" in refused["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_key_for_tests_in_the_context_forces_where_it_counts(path: str) -> None:
    viewer = caller(Role.VIEWER)

    status, flag = ask(viewer, path, **{"x-sluice-key": key_for_tests("chat")})

    assert (status, flag["value"], flag["reason"]) == (200, "better", "TARGETING_MATCH")
    assert ask(viewer, path, **{"X-Sluice-Key": key_for_tests("search")})[0] == 403


def test_all_flags_are_answered_to_who_may_test_each() -> None:
    here = key_for_tests("chat")
    start(draft("other", endpoint=endpoint("search").key), actor=SLUICE)
    everywhere = key_for_tests()
    viewer = caller(Role.VIEWER)

    assert ask(viewer, FLAGS, **{"x-sluice-key": here})[0] == 403
    assert ask(viewer, FLAGS, **{"x-sluice-key": everywhere})[0] == 200


@pytest.mark.parametrize("path", PATHS)
def test_who_may_issue_keys_needs_none(path: str) -> None:
    editor = caller(Role.EDITOR)
    assert ask(editor, path)[1]["value"] == "better"

    Token.objects.update(scopes=[Right.FLAGS])

    assert ask(editor, path)[0] == 403
