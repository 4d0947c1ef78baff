"""An erasure is asked for by an admin, carried out by a worker, and stays on record without anything of the user."""

import json
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
import redis
from django.core.management import call_command
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.models import AuditEvent, Role
from controlplane.settings import get_environment
from routing.allocation.unit_identity import unit_hash
from routing.erasure.ask_erasure import ask_erasure
from routing.erasure.carry_out import carry_out, carry_out_all
from routing.lake.batches import Rejected
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.streams import Entry, set_aside
from routing.models import Erasure
from routing.redis_keys import REJECTED
from tests.factories.rows import outcome_row, request_row, store, stored
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

ADA, BOB = -6917529027641081857, 3458764513820540929
ADMIN = Actor("grace", Role.ADMIN)


@pytest.fixture
def lake(own_lake: str) -> str:
    """Two users with a request and an outcome each."""
    for name, unit in (("ada", ADA), ("bob", BOB)):
        store(own_lake, REQUESTS, [request_row(name, unit=unit)])
        store(own_lake, OUTCOMES, [outcome_row(name, unit=unit)])
    return own_lake


def ask(unit: int = ADA) -> Erasure:
    return ask_erasure(unit, actor=ADMIN, reason="She asked for it.")


def test_by_the_api_and_a_worker(lake: str, admin: Caller) -> None:
    answer = admin.send("POST", "erasures", {"unit": str(ADA), "reason": "She asked for it."})
    assert answer.status_code == 202
    assert (answer.json()["unit"], answer.json()["state"]) == (str(ADA), "asked")
    carry_out_all()
    told = admin.get(f"erasures/{answer.json()['id']}").json()
    assert (told["state"], told["requests"], told["outcomes"], told["problem"]) == ("done", 1, 1, "")
    assert stored(lake, REQUESTS, "request_id") == stored(lake, OUTCOMES, "id") == ["bob"]


def test_by_the_users_own_id_which_is_kept_nowhere(admin: Caller) -> None:
    answer = admin.send("POST", "erasures", {"user": " ada@example.com ", "reason": "She asked for it."})
    key = bytes.fromhex(get_environment().unit_key.get_secret_value())
    assert answer.json()["unit"] == str(unit_hash(key, "ada@example.com"))
    assert "ada@example.com" not in str([*Erasure.objects.values(), *AuditEvent.objects.values()])


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "x"},
        {"unit": "1", "user": "ada", "reason": "x"},
        {"unit": "ada", "reason": "x"},
        {"unit": str(2**63), "reason": "x"},
        {"user": " ", "reason": "x"},
        {"user": "a\u0000", "reason": "x"},
        {"unit": "1"},
        {"unit": "1", "reason": " "},
    ],
)
def test_what_names_nobody_or_no_reason_is_refused(admin: Caller, body: object) -> None:
    assert admin.send("POST", "erasures", body).status_code == 400
    assert not Erasure.objects.exists()


def test_it_is_in_the_audit_trail_twice(lake: str) -> None:
    ask()
    carry_out_all()
    asked, done = AuditEvent.objects.filter(object_type="unit", object_key=str(ADA)).order_by("pk")
    assert (asked.verb, asked.actor, asked.reason) == ("erase", "grace", "She asked for it.")
    assert (done.verb, done.actor, done.after) == ("erased", "sluice", {"requests": 1, "outcomes": 1})


def test_one_that_waits_is_asked_for_once(lake: str) -> None:
    assert ask() == ask()
    carry_out_all()
    assert ask().state == "asked"
    assert Erasure.objects.count() == 2


def test_two_workers_do_not_do_it_twice(lake: str) -> None:
    erasure, now = ask(), timezone.now()
    Erasure.objects.update(claimed_until=now + timedelta(minutes=1))
    assert not carry_out(erasure, now)
    assert carry_out(erasure, now + timedelta(minutes=2))
    assert not carry_out(erasure, now + timedelta(minutes=2))


def test_what_fails_says_why_and_is_done_later(lake: str) -> None:
    erasure = ask()
    log = Path(lake, "requests", "_delta_log")
    log.rename(log.with_name("away"))
    log.write_text("no folder")
    carry_out_all()
    erasure.refresh_from_db()
    assert erasure.state == "asked"
    assert erasure.problem
    log.unlink()
    log.with_name("away").rename(log)
    carry_out_all()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.problem, erasure.requests) == ("done", "", 1)


def test_what_was_set_aside_is_erased_too(redis_server: redis.Redis, lake: str) -> None:
    rows = [Rejected(json.dumps(request_row("odd", unit=unit, status="odd")), "status: odd") for unit in (ADA, BOB)]
    set_aside(redis_server, REQUESTS, Entry("sluice:requests:local", 1, b""), rows)
    ask()
    carry_out_all()
    [[_, kept]] = cast("list[tuple[str, dict[str, str]]]", redis_server.xrange(REJECTED))
    assert str(BOB) in kept["content"]


def test_by_the_command(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_unit", str(ADA), reason="She asked for it.")
    assert capsys.readouterr().out == "Erased 1 requests and 1 outcomes.\n"
    assert stored(lake, REQUESTS, "request_id") == ["bob"]


def test_the_command_says_why_not(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(lake, "requests", "_delta_log").rename(Path(lake, "requests", "away"))
    Path(lake, "requests", "_delta_log").write_text("no folder")
    with pytest.raises(SystemExit):
        call_command("erase_unit", str(ADA), reason="She asked for it.")
    assert capsys.readouterr().err.startswith("Not erased yet: ")
