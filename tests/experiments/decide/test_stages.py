"""A stage is left on evidence of its own, once what hangs on it is known, and while time is left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.problems.problem import Problem
from experiments.decide import DecisionKind, decide, look_is_due
from experiments.stats.core.types import Direction, Finding, HarmSince, Interval, MarginKind, Results, Severity
from tests.experiments.decide.situations import PLAN, after, results, state

SLOW = replace(PLAN, longest_answer=timedelta(minutes=5), maximum=timedelta(hours=2))


def since_stage(control: int, better: int) -> dict[str, int]:
    return {"control": control, "better": better}


@pytest.mark.parametrize(("control", "better"), [(0, 0), (99, 400), (400, 99), (400, 0)])
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_users_of_stages_before_do_not_leave_a_stage(stage: int, control: int, better: int) -> None:
    measured = replace(results(units=100_000), stage_units=since_stage(control, better))
    decision = decide(PLAN, state(stage=stage), measured, after(400))
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, f"few-units-{stage + 1}")
    assert f"Since stage {stage + 1} began, {min(control, better)} of the 100 users" in decision.reason
    assert not look_is_due(PLAN, state(stage=stage), measured, after(400))


def test_users_of_its_own_leave_a_stage() -> None:
    measured = replace(results(units=100_000), stage_units=since_stage(100, 100))
    assert decide(PLAN, state(stage=1), measured, after(400)).kind is DecisionKind.ADVANCE
    assert decide(PLAN, state(stage=2), measured, after(400)).kind is DecisionKind.PROMOTE


@pytest.mark.parametrize("stage", [0, 1])
def test_an_early_stage_does_not_advance_when_time_is_over(stage: int) -> None:
    """The plan gives 3,600 s, of which 600 had passed when the stage was entered."""
    assert decide(PLAN, state(stage=stage), results(), after(2999)).kind is DecisionKind.ADVANCE
    decision = decide(PLAN, state(stage=stage), results(), after(3000))
    assert (decision.kind, decision.code) == (DecisionKind.INCONCLUSIVE, "time-over")


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_nothing_goes_on_before_hanging_requests_are_known(stage: int) -> None:
    """Answers may take 300 s: what began in the first half of 600 s is known then, however long it hung."""
    held = decide(SLOW, state(stage=stage), results(), after(599))
    assert (held.kind, held.code) == (DecisionKind.HOLD, f"answers-under-way-{stage + 1}")
    assert "5 min" in held.reason
    assert not look_is_due(SLOW, state(stage=stage), results(), after(599))
    went_on = decide(SLOW, state(stage=stage), results(), after(600))
    assert went_on.kind is (DecisionKind.PROMOTE if stage == 2 else DecisionKind.ADVANCE)


def differing(low: float, high: float) -> Results:
    """Results in which the guardrail's interval, of a single look, is this."""
    found = results()
    guardrail, goal = found.metrics
    return replace(found, metrics=(replace(guardrail, interval=Interval(low, high)), goal))


@pytest.mark.parametrize(("low", "kind"), [(0.0099, DecisionKind.ADVANCE), (0.0101, DecisionKind.HOLD)])
def test_a_stage_is_not_left_while_harm_beyond_the_margin_is_likely(low: float, kind: DecisionKind) -> None:
    """The margin is one percentage point."""
    decision = decide(PLAN, state(stage=1), differing(low, 0.5), after(400))
    assert decision.kind is kind
    assert (decision.code == "likely-harm-2") is (kind is DecisionKind.HOLD)


def test_the_last_stage_goes_by_its_looks_alone() -> None:
    assert decide(PLAN, state(stage=2), differing(0.02, 0.5), after(400)).kind is DecisionKind.PROMOTE


def test_likely_harm_of_a_relative_margin_is_measured_by_the_control() -> None:
    """Of 0.01 a margin of 20 % accepts 0.002; where higher is better, what is lost counts."""
    guardrail, goal = PLAN.metrics
    relative = replace(guardrail, margin=0.2, margin_kind=MarginKind.RELATIVE)
    upside_down = replace(relative, direction=Direction.INCREASE)
    for metric, worse in ((relative, differing(0.0021, 0.5)), (upside_down, differing(-0.5, -0.0021))):
        plan = replace(PLAN, metrics=(metric, goal))
        assert decide(plan, state(stage=0), worse, after(400)).code == "likely-harm-1"
    for metric, fine in ((relative, differing(0.0019, 0.5)), (upside_down, differing(0.0021, 0.5))):
        plan = replace(PLAN, metrics=(metric, goal))
        assert decide(plan, state(stage=0), fine, after(400)).kind is DecisionKind.ADVANCE


SILENCE = Finding(Problem.of("no-new-data", "No request came.", "Look why."), Severity.WARNING, "traffic", p_value=0.0)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_nothing_goes_on_while_no_requests_come(stage: int) -> None:
    held = decide(PLAN, state(stage=stage), results(findings=(SILENCE,)), after(400))
    assert (held.kind, held.code, held.reason) == (DecisionKind.HOLD, "no-new-data", "No request came. Look why.")
    assert not look_is_due(PLAN, state(stage=stage), results(findings=(SILENCE,)), after(400))


def test_without_requests_harm_still_halts_and_the_last_look_judges_what_there_is() -> None:
    harmed = results(harmed=True, findings=(SILENCE,))
    assert decide(PLAN, state(), harmed, after(1)).kind is DecisionKind.HALT
    silent = results(findings=(SILENCE,))
    assert decide(PLAN, state(stage=2), silent, after(3000)).kind is DecisionKind.PROMOTE
    assert decide(PLAN, state(stage=1), silent, after(3000)).kind is DecisionKind.INCONCLUSIVE


def test_harm_waits_for_no_answers() -> None:
    assert decide(SLOW, state(), results(harmed=True), after(1)).kind is DecisionKind.HALT


def test_a_halt_says_since_when() -> None:
    since = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)
    found = results(harmed=True)
    harm = HarmSince(since, "error-rate", "better", 0.01, 0.1, 290, 310)
    decision = decide(PLAN, state(stage=2), replace(found, halt=replace(found.halt, later=(harm,))), after(400))
    assert (decision.kind, decision.variant) == (DecisionKind.HALT, "better")
    assert decision.reason == (
        "Since 2026-01-05 14:05:00 UTC, Error rate is 10 % for better against 1 % for control, from 310 and 290 users, "
        "worse than the accepted margin of 1 percentage points."
    )
