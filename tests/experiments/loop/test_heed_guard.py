"""What an edge ejected is halted for good, or reinstated."""

from dataclasses import asdict
from typing import Any

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.loop.edge_guard import heed_guard
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, State
from routing.allocation.allocate import reinstate
from routing.guard import Cut
from routing.models import Edge, Split
from routing.publishing.newest_table import desired_table
from tests.factories.drafts import backend, draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def of_two() -> Experiment:
    """Running with two candidates: better and bolder."""
    backend("bold")
    candidates = [{"key": "better", "backend": "candidate"}, {"key": "bolder", "backend": "bold"}]
    experiment = draft(candidates=candidates)
    start(experiment, actor=SLUICE)
    return experiment


def cut(**changes: Any) -> dict[str, Any]:
    return {**asdict(Cut("canary", "better", 0, "2026-01-01T00:00:00Z", 20, 15, 20, 0)), **changes}


def report(edge: str, *cuts: dict[str, Any]) -> None:
    """What an edge's last heartbeat said."""
    Edge.objects.update_or_create(name=edge, defaults={"seen_at": timezone.now(), "cuts": list(cuts)})


def tell(edge: str = "local", **changes: Any) -> None:
    report(edge, cut(**changes))


def rounds() -> dict[str, int]:
    """How often each arm was reinstated, as edges are told."""
    [experiment] = desired_table(version=1).endpoints[0].experiments
    return {arm.variant: arm.guard_round for arm in experiment.arms}


def test_nothing_was_taken_out(running: Experiment) -> None:
    assert heed_guard(running) is False


def test_a_candidate_that_failed_beside_a_sound_control_is_halted_with_the_counts(running: Experiment) -> None:
    tell()

    assert reconcile(running, now=timezone.now()) is None

    running.refresh_from_db()
    reason = "The edge ejected better: 15 of its latest 20 requests failed, and 0 of the control's 20."
    assert (running.state, running.state_reason) == (State.HALTED, reason)
    assert running.decisions.get().code == "guard"
    assert not Split.objects.exists()


def test_the_counts_of_all_edges_decide_together(running: Experiment) -> None:
    tell("one", requests=20, failures=10, control_requests=5)
    assert heed_guard(running)
    running.refresh_from_db()
    assert running.state == State.RUNNING
    tell("one", guard_round=1, requests=20, failures=10, control_requests=5)
    tell("two", guard_round=1)

    assert heed_guard(running)

    running.refresh_from_db()
    assert running.state_reason.startswith("The edge ejected better: 25 of its latest 40")


def test_without_a_control_to_compare_with_it_is_given_back(running: Experiment) -> None:
    tell(control_requests=0)

    assert heed_guard(running)

    running.refresh_from_db()
    assert running.state == State.RUNNING
    assert rounds() == {"control": 0, "better": 1}
    assert heed_guard(running) is False


def test_what_is_taken_out_again_and_again_is_halted(running: Experiment) -> None:
    for guard_round in range(3):
        tell(control_requests=0, guard_round=guard_round)
        assert heed_guard(running)

    running.refresh_from_db()
    assert running.state == State.HALTED
    assert "ejected better 3 times" in running.state_reason


def test_each_candidate_is_judged_by_its_own_counts(of_two: Experiment) -> None:
    """Better fails as its control does; added up, it would be halted for what bolder did."""
    report("one", cut(failures=6, control_failures=6), cut(variant="bolder", control_failures=1))
    report("two", cut(variant="bolder", requests=20, failures=12, control_requests=18, control_failures=0))

    assert heed_guard(of_two)

    of_two.refresh_from_db()
    reason = "The edge ejected bolder: 27 of its latest 40 requests failed, and 1 of the control's 38."
    assert (of_two.state, of_two.state_reason) == (State.HALTED, reason)
    assert of_two.decisions.get().variant_key == "bolder"


def test_the_clearest_counts_are_named_first(of_two: Experiment) -> None:
    report("one", cut(failures=14), cut(variant="bolder", failures=20))

    assert heed_guard(of_two)

    of_two.refresh_from_db()
    assert of_two.state_reason == (
        "The edge ejected bolder: 20 of its latest 20 requests failed, and 0 of the control's 20. "
        "The edge ejected better: 14 of its latest 20 requests failed, and 0 of the control's 20."
    )


def test_a_candidate_that_is_given_back_disturbs_no_other(of_two: Experiment) -> None:
    """Better is back in round 1 when the second edge tells that it ejected bolder, in bolder's round 0."""
    report("one", cut(control_requests=0))
    assert heed_guard(of_two)
    assert rounds() == {"control": 0, "better": 1, "bolder": 0}
    report("two", cut(variant="bolder"))

    assert heed_guard(of_two)

    of_two.refresh_from_db()
    assert of_two.state_reason.startswith("The edge ejected bolder: 15 of its latest 20")


def test_chances_are_counted_for_each_candidate_alone(of_two: Experiment) -> None:
    for guard_round in range(2):
        report("one", cut(control_requests=0, guard_round=guard_round))
        assert heed_guard(of_two)
    report("one", cut(variant="bolder", control_requests=0))

    assert heed_guard(of_two)

    of_two.refresh_from_db()
    assert of_two.state == State.RUNNING
    assert rounds() == {"control": 0, "better": 2, "bolder": 1}


def test_what_somebody_else_gave_back_is_given_back_once(running: Experiment) -> None:
    """A worker that read the cut before another one answered it finds the next round begun, and changes nothing."""
    tell(control_requests=0)
    late = reinstate("canary", {"better": 0})
    assert late == ["better"]
    assert reinstate("canary", {"better": 0}) == []
    assert rounds()["better"] == 1


def test_a_control_is_never_blamed(running: Experiment) -> None:
    tell(variant="control")

    assert heed_guard(running) is False


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
