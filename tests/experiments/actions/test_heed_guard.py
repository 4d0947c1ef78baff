"""What an edge took out by itself is halted for good, or given back."""

from dataclasses import asdict
from typing import Any

import pytest
from django.utils import timezone

from controlplane.actors import SLUICE
from experiments.actions.heed_guard import heed_guard
from experiments.actions.reconcile import reconcile
from experiments.actions.start import start
from experiments.models import Experiment, State
from routing.guard import Cut
from routing.models import Edge, Split
from routing.queries import desired_table
from tests.experiments.drafts import draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def running() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    return experiment


def tell(edge: str = "local", **changes: Any) -> None:
    cut = Cut("canary", "better", 0, "2026-01-01T00:00:00Z", 20, 15, 20, 0)
    cuts = [{**asdict(cut), **changes}]
    Edge.objects.update_or_create(name=edge, defaults={"seen_at": timezone.now(), "cuts": cuts})


def test_nothing_was_taken_out(running: Experiment) -> None:
    assert heed_guard(running) is False


def test_a_candidate_that_failed_beside_a_sound_control_is_halted_with_the_counts(running: Experiment) -> None:
    tell()

    assert reconcile(running, now=timezone.now()) is None

    running.refresh_from_db()
    reason = "The edge took better out: 15 of its latest 20 requests failed, and 0 of the control's 20."
    assert (running.state, running.state_reason) == (State.HALTED, reason)
    assert running.decisions.get().code == "guard"
    assert not Split.objects.exists()


def test_the_counts_of_all_edges_decide_together(running: Experiment) -> None:
    tell("one", requests=20, failures=10, control_requests=5)
    assert heed_guard(running)
    running.refresh_from_db()
    assert running.state == State.RUNNING
    Split.objects.update(guard_round=0)
    tell("two")

    assert heed_guard(running)

    running.refresh_from_db()
    assert running.state_reason.startswith("The edge took better out: 25 of its latest 40")


def test_without_a_control_to_compare_with_it_is_given_back(running: Experiment) -> None:
    tell(control_requests=0)

    assert heed_guard(running)

    running.refresh_from_db()
    assert running.state == State.RUNNING
    [experiment] = desired_table(version=1).endpoints[0].experiments
    assert experiment.guard_round == 1
    assert heed_guard(running) is False


def test_what_is_taken_out_again_and_again_is_halted(running: Experiment) -> None:
    for guard_round in range(3):
        tell(control_requests=0, guard_round=guard_round)
        assert heed_guard(running)

    running.refresh_from_db()
    assert running.state == State.HALTED
    assert "out 3 times" in running.state_reason


def test_other_experiments_are_let_be(running: Experiment) -> None:
    tell(experiment="another")

    assert heed_guard(running) is False


def test_a_plan_says_how_its_guard_looks() -> None:
    strict = draft("strict", guard={"first_byte_ms": 800, "requests": 40})
    start(strict, actor=SLUICE)
    [experiment] = desired_table(version=1).endpoints[0].experiments
    assert experiment.guard is not None
    assert (experiment.guard.first_byte_ms, experiment.guard.requests) == (800, 40)


def test_a_plan_may_have_no_guard() -> None:
    start(draft("bold", guard=None), actor=SLUICE)
    [experiment] = desired_table(version=1).endpoints[0].experiments
    assert experiment.guard is None
