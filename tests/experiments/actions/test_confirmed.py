"""A brake names the edges that do not apply it, and the experiment's page does until they do."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
import redis
from django.core.management import call_command

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing import redis_keys
from routing.models import AccessKey
from routing.publishing.confirmation import read_confirmation
from routing.publishing.publish import publish
from routing.resources.issue_key import issue_key
from tests.databases import refusing_writes
from tests.factories.drafts import draft
from tests.routing.edge.edges import RunningEdge, run_edge
from tests.routing.edge.stored import EDGE
from tests.servers.processes import RunningValkey
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db

REASON = {"reason": "looks wrong"}
PAGE = "/experiments/canary"


@pytest.fixture
def version(redis_server: redis.Redis) -> int:
    """Of the table on which a canary runs."""
    start(draft(), actor=SLUICE)
    return publish("started").version


@pytest.fixture
def edge(
    version: int, tmp_path: Path, session_valkey: RunningValkey, redis_server: redis.Redis
) -> Iterator[RunningEdge]:
    """An edge that serves it."""
    with run_edge(tmp_path, session_valkey.url) as running:
        wait_until(lambda: read_confirmation().confirmed == [EDGE])
        yield running


@contextmanager
def frozen(process: "Popen[bytes] | None") -> Iterator[None]:
    """A process that does nothing until the block ends, and is not gone."""
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def halt(operator: Caller) -> dict[str, object]:
    answer = operator.send("POST", "experiments/canary/halt", REASON)
    assert answer.status_code == 200
    content: dict[str, object] = answer.json()
    return content


def stop(operator: Caller) -> dict[str, object]:
    answer = operator.send("POST", "kill-switch", {**REASON, "on": True})
    assert answer.status_code == 200
    content: dict[str, object] = answer.json()
    return content


def tell(client: redis.Redis, name: str, version: int) -> None:
    client.sadd(redis_keys.EDGES, name)
    client.hset(redis_keys.edge(name), "applied_version", version)


@pytest.mark.slow
@pytest.mark.parametrize(("brake", "frozen_one"), [(halt, "agent"), (stop, "envoy")])
def test_a_frozen_edge_is_named_until_it_has_caught_up(
    edge: RunningEdge, operator: Caller, brake: Callable[[Caller], dict[str, object]], frozen_one: str
) -> None:
    browser = visitor(Role.VIEWER)
    assert "has not confirmed" not in text(browser, PAGE)

    with frozen(getattr(edge, frozen_one)):
        told = brake(operator)["edges"]
        alerted = text(browser, PAGE)

    version = read_confirmation().version
    assert told == {
        "table": version,
        "confirmed": [],
        "unconfirmed": [EDGE],
        "detail": f"Not confirmed yet by {EDGE}: users there may go on as before.",
    }
    assert f"Edge {EDGE} has not confirmed routing table {version}" in alerted
    assert 'hx-trigger="every 2s"' in alerted
    wait_until(lambda: "has not confirmed" not in text(browser, PAGE))


@pytest.mark.slow
def test_an_edge_that_is_well_confirms_before_the_answer_comes(edge: RunningEdge, operator: Caller) -> None:
    told = halt(operator)["edges"]

    assert told == {
        "table": read_confirmation().version,
        "confirmed": [EDGE],
        "unconfirmed": [],
        "detail": f"Confirmed by {EDGE}.",
    }


@pytest.mark.parametrize("path", ["halt", "promote"])
def test_the_answer_holds_the_experiment_and_its_entity_tag_as_get_does(
    version: int, operator: Caller, path: str
) -> None:
    answer = operator.send("POST", f"experiments/canary/{path}", REASON)
    read = operator.get("experiments/canary")

    content = answer.json()
    assert content.pop("edges") == {
        "table": read_confirmation().version,
        "confirmed": [],
        "unconfirmed": [],
        "detail": "",
    }
    assert (content, answer["ETag"]) == (read.json(), read["ETag"])


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/experiments/canary/halt", REASON),
        ("/experiments/canary/promote", REASON),
        ("/kill-switch", {**REASON, "turn": "on"}),
        ("/access-keys/{key}/revoke", {}),
    ],
)
def test_the_pages_name_who_confirmed_and_who_did_not(
    version: int, redis_server: redis.Redis, path: str, form: dict[str, str]
) -> None:
    tell(redis_server, "here", version + 9)
    tell(redis_server, "late", version - 1)
    if path == "/access-keys/{key}/revoke":
        issue_key("app", endpoints=[], expires_at=None, actor=SLUICE)
        path = path.format(key=AccessKey.objects.get().pk)

    page = visitor(Role.APPROVER).post(path, form, follow=True).content.decode()

    assert "Not confirmed yet by late: users there may go on as before. Confirmed by here." in page


def test_so_does_the_command_line(version: int, redis_server: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    tell(redis_server, "late", version - 1)

    call_command("kill_switch", "on", "--reason", "looks wrong")

    told = read_confirmation().version
    assert capsys.readouterr().out == (
        f"The kill switch is on for all endpoints. Edges were told of routing table {told}. "
        "Not confirmed yet by late: users there may go on as before.\n"
    )


@pytest.mark.database
def test_so_does_a_brake_that_the_database_does_not_take(
    version: int, redis_server: redis.Redis, operator: Caller
) -> None:
    tell(redis_server, "late", version - 1)
    with refusing_writes():
        answer = operator.send("POST", "experiments/canary/halt", REASON)

    assert answer.status_code == 202
    assert answer.json()["detail"].startswith(
        "It is done: edges were told. Not confirmed yet by late: users there may go on as before. The database"
    )


def test_a_draft_concerns_no_edge(redis_server: redis.Redis) -> None:
    draft()
    tell(redis_server, "late", 0)
    publish("nothing")

    assert "has not confirmed" not in text(visitor(Role.VIEWER), PAGE)
