"""The kill switch gives everybody the endpoints' own backends, and everybody their variant back."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, InvalidInput, NotAllowed
from experiments.actions.start import start
from experiments.loop.reconcile import reconcile
from experiments.models import Analysis, Experiment, State
from experiments.plan.as_judged import pure_state
from routing.allocation.assign import Assignment, assign
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.kill_switch.stops import covered, stops_since
from routing.models import Endpoint, RoutingTable, Split, Stop
from routing.publishing.newest_table import desired_table, latest_table
from routing.publishing.publish import publish
from routing.table import from_json
from tests.factories.drafts import draft, endpoint

pytestmark = pytest.mark.django_db

USERS = [f"user-{number}" for number in range(500)]


def published() -> dict[str, list[Assignment]]:
    """Who gets what by the newest published table, by endpoint."""
    publish("test")
    newest = latest_table()
    assert newest is not None
    return {found.key: [assign(found, user) for user in USERS] for found in from_json(newest.content).endpoints}


@pytest.fixture
def running() -> Experiment:
    experiment = draft(plan={**_plan(), "stages": [{"coverage": 50, "soak_seconds": 60}]})
    start(experiment, actor=SLUICE)
    return experiment


def _plan() -> dict[str, object]:
    metrics = [{"metric": "error-rate", "role": "guardrail", "margin": 0.03, "margin_kind": "absolute"}]
    return {"metrics": metrics, "maximum_seconds": 3600}


@pytest.mark.parametrize("everywhere", [True, False])
def test_everybody_gets_the_default_and_then_the_same_variant_as_before(running: Experiment, everywhere: bool) -> None:
    before = published()["chat"]
    where = None if everywhere else running.endpoint
    stop_experiments(where, actor=SLUICE, reason="looks wrong")
    during = published()["chat"]
    resume_experiments(where, actor=SLUICE, reason="looks right")
    assert {assignment.variant for assignment in before} == {"control", "better", None}
    assert {(assignment.backend, assignment.variant) for assignment in during} == {("stable", None)}
    assert published()["chat"] == before


def test_only_the_endpoint_that_was_named_is_stopped(running: Experiment) -> None:
    before = published()["chat"]
    stop_experiments(endpoint("search"), actor=SLUICE, reason="looks wrong")
    assert published()["chat"] == before


def test_shadows_stop_too() -> None:
    copied = endpoint()
    Endpoint.objects.update(shadows=[{"name": "try", "backend": "stable", "percent": 10}])
    assert desired_table(1).endpoints[0].shadows
    stop_experiments(copied, actor=SLUICE, reason="looks wrong")
    assert desired_table(1).endpoints[0].shadows == ()


@pytest.mark.database
def test_an_endpoint_stays_stopped_while_all_are(running: Experiment) -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    stop_experiments(running.endpoint, actor=SLUICE, reason="looks wrong")
    resume_experiments(running.endpoint, actor=SLUICE, reason="looks right")
    assert desired_table(1).endpoints[0].experiments == ()
    resume_experiments(None, actor=SLUICE, reason="looks right")
    assert len(desired_table(1).endpoints[0].experiments) == 1


@pytest.mark.database
def test_turning_it_to_where_it_is_changes_nothing(running: Experiment) -> None:
    resume_experiments(None, actor=SLUICE, reason="looks right")
    first = stop_experiments(None, actor=SLUICE, reason="looks wrong")
    versions = RoutingTable.objects.count()
    second = stop_experiments(None, actor=SLUICE, reason="still looks wrong")
    assert (second.pk, second.reason) == (first.pk, "looks wrong")
    assert RoutingTable.objects.count() == versions
    assert AuditEvent.objects.filter(object_type="kill-switch").count() == 1


def test_each_turn_is_in_the_audit_trail(running: Experiment) -> None:
    stop_experiments(running.endpoint, actor=SLUICE, reason="looks wrong")
    resume_experiments(running.endpoint, actor=SLUICE, reason="looks right")
    events = AuditEvent.objects.filter(object_type="kill-switch").order_by("id")
    assert [(e.verb, e.object_key, e.after, e.reason) for e in events] == [
        ("stop-experiments", "chat", {"on": True}, "looks wrong"),
        ("resume-experiments", "chat", {"on": False}, "looks right"),
    ]


def test_it_needs_a_reason_and_an_operator(running: Experiment) -> None:
    with pytest.raises(InvalidInput):
        stop_experiments(None, actor=SLUICE, reason="  ")
    with pytest.raises(NotAllowed):
        stop_experiments(None, actor=Actor("guest", Role.VIEWER), reason="looks wrong")
    assert not Stop.objects.exists()


def test_a_stopped_experiment_stays_and_decides_nothing(running: Experiment) -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    assert reconcile(running, now=timezone.now() + timedelta(hours=2)) is None
    running.refresh_from_db()
    assert running.state == State.RUNNING
    assert not Analysis.objects.exists()
    assert Split.objects.exists()


@pytest.mark.database
def test_nothing_starts_while_it_is_on(running: Experiment) -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    waiting = draft("waiting", traffic=10)
    with pytest.raises(Conflict) as caught:
        start(waiting, actor=SLUICE)
    assert caught.value.code == "experiments-stopped"
    assert Experiment.objects.get(pk=waiting.pk).state == State.DRAFT


def test_the_clock_of_the_plan_stands_still(running: Experiment) -> None:
    began = timezone.now() - timedelta(seconds=100)
    Experiment.objects.update(started_at=began, stage_entered_at=began)
    for start_at, end_at, where in ((10, 40, None), (20, 50, running.endpoint), (60, 70, running.endpoint)):
        Stop.objects.create(
            endpoint=where,
            since=began + timedelta(seconds=start_at),
            ended_at=began + timedelta(seconds=end_at),
            by="olga",
            reason="looks wrong",
        )
    state = pure_state(Experiment.objects.get(), timezone.now())
    assert state.started_at == state.stage_entered_at == began + timedelta(seconds=50)


def test_only_the_part_of_a_stop_that_lies_in_the_time_counts() -> None:
    now = timezone.now()
    stop = Stop.objects.create(endpoint=endpoint(), since=now - timedelta(seconds=60), by="olga", reason="wrong")
    assert stopped(stop.endpoint_id or 0, now - timedelta(seconds=20), now) == 20
    assert stopped(stop.endpoint_id or 0, now - timedelta(seconds=90), now) == 60
    assert stopped(endpoint("search").pk, now - timedelta(seconds=90), now) == 0


def stopped(endpoint_pk: int, since: datetime, until: datetime) -> float:
    return covered([each.span for each in stops_since(endpoint_pk, since)], since, until).total_seconds()


def test_the_command_line_turns_it(running: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("kill_switch", "on", "--endpoint", "chat", "--reason", "looks wrong")
    assert desired_table(1).endpoints[0].experiments == ()
    assert "The kill switch is on for chat. Redis is away" in capsys.readouterr().out
    call_command("kill_switch", "off", "--endpoint", "chat", "--reason", "looks right")
    assert len(desired_table(1).endpoints[0].experiments) == 1
    assert AuditEvent.objects.filter(object_type="kill-switch", actor__endswith="on the command line").count() == 2


def test_the_command_line_says_what_it_refuses(running: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call_command("kill_switch", "on", "--endpoint", "nothing", "--reason", "looks wrong")
    assert caught.value.code == 1
    assert "There is no endpoint called nothing. Known are: chat." in capsys.readouterr().err


def test_the_command_has_a_hyphen() -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "manage.py", "kill-switch", "--help"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    assert "--endpoint KEY" in shown.stdout


def test_the_table_says_the_same_as_text(running: Experiment) -> None:
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    newest = latest_table()
    assert newest is not None
    assert [found["experiments"] for found in json.loads(newest.content)["endpoints"]] == [[]]
