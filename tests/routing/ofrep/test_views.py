"""The paths of OpenFeature's remote evaluation protocol."""

import json
from typing import Any, cast

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from controlplane.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing import keys
from routing.actions.publish import publish
from routing.assign import assign
from routing.queries import desired_table
from tests.experiments.drafts import draft
from tests.people import caller
from tests.servers import RunningValkey

pytestmark = pytest.mark.django_db

FLAGS = "/ofrep/v1/evaluate/flags"
ONE = f"{FLAGS}/canary"
ALICE = {"context": {"targetingKey": "alice"}}


@pytest.fixture
def viewer() -> Client:
    start(draft(), actor=SLUICE)
    publish("test")
    return caller(Role.VIEWER).client


def ask(client: Client, path: str, body: object, **headers: str) -> tuple[int, Any]:
    answer = client.post(path, body, content_type="application/json", headers=headers)
    return answer.status_code, json.loads(answer.content) if answer.content else None


def test_a_flag_is_what_the_edge_would_do(viewer: Client) -> None:
    [endpoint] = desired_table(version=1).endpoints
    for number in range(40):
        unit = f"user-{number}"
        assigned = assign(endpoint, unit)

        status, content = ask(viewer, ONE, {"context": {"targetingKey": unit}})

        assert status == 200
        assert content["value"] == (assigned.variant or "control")
        assert content.get("variant") == assigned.variant
        assert content["metadata"]["backend"] == assigned.backend


def test_all_flags_and_304_while_nothing_changed(viewer: Client) -> None:
    first = viewer.post(FLAGS, ALICE, content_type="application/json")
    [flag] = json.loads(first.content)["flags"]
    assert (first.status_code, flag["key"]) == (200, "canary")

    again = viewer.post(FLAGS, ALICE, content_type="application/json", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])

    other = viewer.post(
        FLAGS,
        {"context": {"targetingKey": "bob", "x": "y"}},
        content_type="application/json",
        headers={"if-none-match": '"other"'},
    )
    assert other.status_code == 200


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
    ],
)
@pytest.mark.parametrize("path", [ONE, FLAGS])
def test_what_cannot_be_evaluated_is_named(viewer: Client, path: str, body: object, code: str) -> None:
    status, content = ask(viewer, path, body)

    assert (status, content["errorCode"]) == (400, code)
    assert content["errorDetails"]


def test_a_flag_that_is_none(viewer: Client) -> None:
    status, content = ask(viewer, f"{FLAGS}/gone", ALICE)

    assert (status, content["errorCode"], content["key"]) == (404, "FLAG_NOT_FOUND", "gone")


def test_a_stranger_is_sent_away() -> None:
    status, content = ask(caller(None).client, ONE, ALICE)

    assert status == 401
    assert "errorDetails" in content


@pytest.mark.parametrize("role", list(Role))
def test_everybody_who_is_known_may_ask(viewer: Client, role: Role) -> None:
    assert ask(caller(role).client, ONE, ALICE)[0] == 200


def test_a_table_is_read_once(viewer: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ask(viewer, ONE, ALICE)

    with django_assert_num_queries(2):  # who asks, and which table is the newest
        ask(viewer, ONE, ALICE)


def test_an_exposure_is_recorded_once_when_asked_for(
    viewer: Client, valkey: RunningValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.ofrep.views.get_redis", lambda: Redis.from_url(valkey.url, decode_responses=True))
    [endpoint] = desired_table(version=1).endpoints
    unit = next(u for u in (f"user-{number}" for number in range(200)) if assign(endpoint, u).variant == "better")
    redis = Redis.from_url(valkey.url)

    ask(viewer, ONE, {"context": {"targetingKey": unit}})
    assert redis.xlen(keys.OUTCOMES) == 0
    for _ in range(2):
        ask(viewer, ONE, {"context": {"targetingKey": unit, "recordExposure": True}})

    [[_, fields]] = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(keys.OUTCOMES))
    [row] = json.loads(fields[b"rows"])
    assert (row["name"], json.loads(row["properties"])) == ("exposure", {"experiment": "canary", "variant": "better"})
    assert unit not in row["id"]
