"""The gate of a pipeline: what it says of an experiment in each state, and how it waits."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote_by_hand
from experiments.api import waiting
from experiments.api.waiting import LONGEST_WAIT_SECONDS, MOST_WAITING
from experiments.decide.types import Decision, DecisionKind
from experiments.models import Experiment
from tests.experiments.views.findings import found, measured, planned, running
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def gate(viewer: Caller, query: str = "") -> dict[str, Any]:
    answer = viewer.get(f"experiments/canary/gate{query}")
    assert answer.status_code == 200, answer.content
    content: dict[str, Any] = json.loads(answer.content)
    return content


def test_a_draft_is_undecided_and_waits_for_its_start(viewer: Caller) -> None:
    planned()
    said = gate(viewer)
    assert (said["state"], said["decided"], said["outcome"], said["exit_code"]) == ("draft", False, "undecided", 3)
    assert (said["decision"], said["decided_at"], said["due_at"]) == (None, None, None)
    assert "start it" in said["waits_for"]


def test_a_running_one_says_its_numbers_and_when_its_stage_has_soaked(viewer: Caller) -> None:
    experiment = running()
    measured(experiment, found())
    said = gate(viewer)
    assert (said["outcome"], said["exit_code"]) == ("undecided", 3)
    assert "Stage 1 of 2" in said["sentence"]
    assert "5" in said["sentence"]
    assert "coverage goes to 100 %" in said["waits_for"]
    assert experiment.stage_entered_at is not None
    due = experiment.stage_entered_at + timedelta(days=30)
    assert abs(datetime.fromisoformat(said["due_at"]) - due) < timedelta(seconds=1)


def test_of_a_paused_one_nobody_can_tell_when(viewer: Caller) -> None:
    pause(running(), actor=SLUICE, reason="lunch")
    said = gate(viewer)
    assert (said["outcome"], said["due_at"]) == ("undecided", None)
    assert "Resume it" in said["waits_for"]


def halted(experiment: Experiment) -> None:
    halt_by_hand(experiment, actor=SLUICE, reason="It failed 4.1 % of 900 requests.")


def promoted(experiment: Experiment) -> None:
    promote_by_hand(experiment, actor=SLUICE, reason="It failed 4.1 % of 900 requests.", variant="better")


def inconclusive(experiment: Experiment) -> None:
    conclude(
        experiment, Decision(DecisionKind.INCONCLUSIVE, "time-over", "It failed 4.1 % of 900 requests."), actor=SLUICE
    )


@pytest.mark.parametrize(("ended", "code"), [(promoted, 0), (halted, 1), (inconclusive, 2)])
def test_an_ended_one_says_how_why_and_what_a_step_ends_with(viewer: Caller, ended: Any, code: int) -> None:
    ended(running())
    said = gate(viewer, f"?wait={LONGEST_WAIT_SECONDS}")
    assert (said["decided"], said["outcome"], said["exit_code"]) == (True, ended.__name__, code)
    assert "4.1 % of 900 requests" in said["sentence"]
    assert said["decision"]["reason"] == "It failed 4.1 % of 900 requests."
    assert (said["waits_for"], said["due_at"]) == ("", None)
    assert datetime.fromisoformat(said["decided_at"]) <= timezone.now()


def test_one_whose_rows_are_broken_is_not_measured(viewer: Caller) -> None:
    running()
    Experiment.objects.update(stage_index=7)
    said = gate(viewer)
    assert (said["decided"], said["exit_code"]) == (False, 3)
    assert said["sentence"].startswith("Broken:")


@pytest.mark.parametrize("wait", ["-1", "56", "soon", "1.5"])
def test_a_wait_that_is_none_is_refused(viewer: Caller, wait: str) -> None:
    planned()
    answer = viewer.get(f"experiments/canary/gate?wait={wait}")
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == ["wait"]


def test_one_that_is_not_there_is_missing_however_long_one_waits(viewer: Caller) -> None:
    assert viewer.get(f"experiments/nothing/gate?wait={LONGEST_WAIT_SECONDS}").status_code == 404


def test_who_finds_no_place_is_answered_at_once_and_told_when_to_come_again(viewer: Caller) -> None:
    running()
    for _ in range(MOST_WAITING):
        assert waiting._places.acquire(blocking=False)
    try:
        turned_away = viewer.get(f"experiments/canary/gate?wait={LONGEST_WAIT_SECONDS}")
    finally:
        waiting._places.release(MOST_WAITING)
    assert turned_away.json()["outcome"] == "undecided"
    assert int(turned_away["Retry-After"]) > 0
    assert "Retry-After" not in viewer.get("experiments/canary/gate")
