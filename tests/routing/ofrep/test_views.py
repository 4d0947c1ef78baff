"""The paths of OpenFeature's remote evaluation protocol."""

import json
from typing import Any, cast

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from controlplane.audit.actors import SLUICE
from controlplane.models import Role, Token
from controlplane.settings import get_environment
from experiments.actions.start import start
from routing import redis_keys
from routing.allocation.assign import assign
from routing.allocation.unit_identity import unit_hash
from routing.publishing.newest_table import desired_table
from routing.publishing.publish import publish
from routing.resources.issue_key import issue_key
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import caller

pytestmark = pytest.mark.django_db

FLAGS = "/ofrep/v1/evaluate/flags"
ONE = f"{FLAGS}/canary"
ALICE = {"context": {"targetingKey": "alice"}}


@pytest.fixture
def running(db: None) -> None:
    start(draft(), actor=SLUICE)
    publish("test")


@pytest.fixture
def viewer(running: None) -> Client:
    return caller(Role.VIEWER).client


@pytest.fixture
def reporter(running: None) -> Client:
    return caller(Role.REPORTER).client


def ask(client: Client, path: str, body: object, **headers: str) -> tuple[int, Any]:
    answer = client.post(path, body, content_type="application/json", headers=headers)
    return answer.status_code, json.loads(answer.content) if answer.content else None


def test_a_flag_is_what_the_edge_would_do(viewer: Client) -> None:
    [chat] = desired_table(version=1).endpoints
    for number in range(40):
        unit = f"user-{number}"
        assigned = assign(chat, unit)

        status, content = ask(viewer, ONE, {"context": {"targetingKey": unit}})

        assert status == 200
        assert content["value"] == (assigned.variant or "control")
        assert content["variant"] == (assigned.variant or "")
        assert content["metadata"]["backend"] == assigned.backend


def test_all_flags(viewer: Client) -> None:
    first = viewer.post(FLAGS, ALICE, content_type="application/json")
    [flag] = json.loads(first.content)["flags"]
    assert (first.status_code, flag["key"]) == (200, "canary")

    other = viewer.post(
        FLAGS,
        {"context": {"targetingKey": "bob", "x": "y"}},
        content_type="application/json",
        headers={"if-none-match": '"other"'},
    )
    assert other.status_code == 200


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_304_while_nothing_changed(viewer: Client, form: str) -> None:
    tag = viewer.post(FLAGS, ALICE, content_type="application/json")["ETag"]
    known = {"if-none-match": form.format(tag)}

    again = viewer.post(FLAGS, ALICE, content_type="application/json", headers=known)

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


def test_a_new_table_is_told(viewer: Client) -> None:
    known = {"if-none-match": viewer.post(FLAGS, ALICE, content_type="application/json")["ETag"]}
    start(draft("another", endpoint=endpoint("search").key), actor=SLUICE)
    publish("test")

    status, content = ask(viewer, FLAGS, ALICE, **known)

    assert (status, [flag["key"] for flag in content["flags"]]) == (200, ["canary", "another"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "PARSE_ERROR"),
        ("[]", "INVALID_CONTEXT"),
        ({}, "INVALID_CONTEXT"),
        ({"context": "alice"}, "INVALID_CONTEXT"),
        ({"context": {}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": ""}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "x" * 1001}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "half \ud83d"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "alice", "recordExposure": "yes"}}, "INVALID_CONTEXT"),
    ],
)
@pytest.mark.parametrize("path", [ONE, FLAGS])
def test_what_cannot_be_evaluated_is_named(viewer: Client, path: str, body: object, code: str) -> None:
    status, content = ask(viewer, path, body)

    assert (status, content["errorCode"]) == (400, code)
    assert content["errorDetails"]
    assert content.get("key") == ("canary" if path == ONE else None)


def test_a_flag_that_is_none(viewer: Client) -> None:
    status, content = ask(viewer, f"{FLAGS}/gone", ALICE)

    assert (status, content["errorCode"], content["key"]) == (404, "FLAG_NOT_FOUND", "gone")


@pytest.mark.parametrize(
    ("path", "body"), [(ONE, "{"), (ONE, {"context": {}}), (FLAGS, "{"), (FLAGS, []), (f"{FLAGS}/gone", ALICE)]
)
def test_an_error_is_a_problem_too(viewer: Client, path: str, body: object) -> None:
    status, content = ask(viewer, path, body)

    assert (content["status"], content["type"]) == (status, f"urn:sluice:{content['code']}")
    assert content["errorDetails"] == f"{content['detail']} {content['next_step']}"
    assert content["title"]
    assert content["request_id"]


def test_a_stranger_is_sent_away() -> None:
    answer = caller(None).client.post(ONE, ALICE, content_type="application/json")

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["errorDetails"]


def test_a_revoked_token_opens_nothing(viewer: Client) -> None:
    Token.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert ask(viewer, ONE, ALICE)[0] == 401


def test_what_nobody_expected_has_the_protocols_form(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.ofrep.flags.current_table", lambda: None)

    status, content = ask(viewer, ONE, ALICE)

    assert (status, content["key"], content["errorCode"]) == (500, "canary", "GENERAL")
    assert "attribute" not in content["errorDetails"]


def test_before_the_first_table_there_is_no_flag(db: None) -> None:
    client = caller(Role.VIEWER).client

    assert ask(client, FLAGS, ALICE) == (200, {"flags": []})
    assert ask(client, ONE, ALICE)[0] == 404


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SENDER])
def test_everybody_who_may_look_may_ask(viewer: Client, role: Role) -> None:
    assert ask(caller(role).client, ONE, ALICE)[0] == 200


def test_a_table_is_read_once(viewer: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ask(viewer, ONE, ALICE)

    with django_assert_num_queries(2):  # who asks, and which table is the newest
        ask(viewer, ONE, ALICE)


def exposed_unit() -> str:
    """A user who is in the candidate's arm."""
    [chat] = desired_table(version=1).endpoints
    return next(unit for unit in (f"user-{n}" for n in range(1000)) if assign(chat, unit).variant == "better")


def unmeasured_unit() -> str:
    """A user whom the experiment does not take in."""
    [chat] = desired_table(version=1).endpoints
    return next(unit for unit in (f"user-{n}" for n in range(1000)) if assign(chat, unit).variant is None)


def rows(queue: Redis) -> list[dict[str, Any]]:
    return [row for _, fields in cast("Any", queue.xrange(redis_keys.OUTCOMES)) for row in json.loads(fields["rows"])]


@pytest.mark.parametrize("path", [ONE, FLAGS])
def test_an_exposure_is_recorded_once_when_asked_for(reporter: Client, queue: Redis, path: str) -> None:
    unit = exposed_unit()
    ask(reporter, path, {"context": {"targetingKey": unit}})
    assert rows(queue) == []

    for _ in range(2):
        ask(reporter, path, {"context": {"targetingKey": unit, "recordExposure": True}})

    [row] = rows(queue)
    assert (row["name"], json.loads(row["properties"])) == ("exposure", {"experiment": "canary", "variant": "better"})
    unit_key = bytes.fromhex(get_environment().unit_key.get_secret_value())
    assert row["unit"] == unit_hash(unit_key, unit)
    assert unit not in row["id"]


def test_who_is_not_measured_is_not_exposed(reporter: Client, queue: Redis) -> None:
    key = issue_key("qa", endpoints=[], expires_at=None, actor=SLUICE, for_tests=True)
    forced = {"x-sluice-variant": "canary/better", "x-sluice-key": key}
    for context in ({"targetingKey": unmeasured_unit()}, {"targetingKey": "qa", **forced}):
        _, content = ask(reporter, ONE, {"context": {**context, "recordExposure": True}})

        assert content["metadata"]["exposureRecorded"] is False
    assert rows(queue) == []


def test_an_answer_that_did_not_change_records_its_exposure(reporter: Client, queue: Redis) -> None:
    body = {"context": {"targetingKey": exposed_unit(), "recordExposure": True}}
    tag = reporter.post(FLAGS, body, content_type="application/json")["ETag"]
    queue.flushdb()

    status, _ = ask(reporter, FLAGS, body, **{"if-none-match": tag})

    assert (status, len(rows(queue))) == (304, 1)


def test_a_flag_is_answered_without_redis_too(reporter: Client) -> None:
    status, content = ask(reporter, ONE, {"context": {"targetingKey": exposed_unit(), "recordExposure": True}})

    assert (status, content["value"], content["metadata"]["exposureRecorded"]) == (200, "better", False)


@pytest.mark.parametrize("key", ["a/b", "a%2Fb", "a/", "/"])
def test_a_slash_in_the_key_is_a_flag_that_is_none(viewer: Client, key: str) -> None:
    status, content = ask(viewer, f"{FLAGS}/{key}", ALICE)

    assert (status, content["errorCode"], content["key"]) == (404, "FLAG_NOT_FOUND", key.replace("%2F", "/"))


@pytest.mark.parametrize("path", [ONE, FLAGS])
def test_who_may_only_look_has_no_exposure_recorded(viewer: Client, queue: Redis, path: str) -> None:
    context = {"targetingKey": exposed_unit()}
    assert ask(viewer, path, {"context": context})[0] == 200

    status, content = ask(viewer, path, {"context": {**context, "recordExposure": True}})

    assert (status, content["errorCode"], content["code"]) == (403, "GENERAL", "right-missing")
    assert "sender" in content["errorDetails"]
    assert queue.keys() == []


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("path", [ONE, FLAGS])
def test_a_sender_asks_for_no_flag(path: str) -> None:
    status, content = ask(caller(Role.SENDER).client, path, ALICE)

    assert (status, content["errorCode"]) == (403, "GENERAL")
