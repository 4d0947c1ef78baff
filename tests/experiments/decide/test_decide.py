"""Which decision follows from which situation."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.problems.problem import Problem
from experiments.decide import DecisionKind, decide, look_is_due
from experiments.stats.core.spending import Look
from experiments.stats.core.types import Finding, Severity, Verdict
from tests.experiments.decide.situations import PLAN, after, results, state


@pytest.mark.parametrize("stage", [0, 1, 2])
@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("mismatch", [True, False])
@pytest.mark.parametrize("seconds", [1, 400, 10_000])
def test_harm_halts_whatever_else_is_true(stage: int, paused: bool, mismatch: bool, seconds: float) -> None:
    decision = decide(PLAN, state(stage=stage, paused=paused), results(harmed=True, mismatch=mismatch), after(seconds))
    assert decision.kind is DecisionKind.HALT
    assert decision.variant == "better"


def test_a_halt_says_why_with_numbers() -> None:
    decision = decide(PLAN, state(), results(harmed=True), after(5))
    assert decision.reason == (
        "Error rate is 1.2 % for better against 1 % for control (+20.0%), from 510 and 500 users, "
        "worse than the accepted margin of 1 percentage points."
    )


def test_a_stage_soaks_before_it_advances() -> None:
    assert decide(PLAN, state(), results(), after(59)).kind is DecisionKind.HOLD
    assert decide(PLAN, state(), results(), after(60)).kind is DecisionKind.ADVANCE


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_minimum_of_users_holds_on_every_stage(stage: int) -> None:
    decision = decide(PLAN, state(stage=stage), results(units=99), after(400))
    assert decision.kind is DecisionKind.HOLD
    assert decision.code == f"few-units-{stage + 1}"


def test_a_wrong_split_holds_and_never_promotes() -> None:
    decision = decide(PLAN, state(stage=2), results(mismatch=True), after(400))
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "sample-ratio-mismatch")


LEAK = Finding(
    Problem.of("leak", "100 units are in off.", "Find out why."), Severity.BLOCKS_PROMOTION, "off", log_e_value=700.0
)
FELL = Finding(Problem.of("units-fell", "Units fell.", "Look for deletions."), Severity.WARNING, "new")


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_grave_finding_holds_on_every_stage_and_says_what_to_do(stage: int) -> None:
    decision = decide(PLAN, state(stage=stage), results(findings=(LEAK,)), after(400))
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "leak")
    assert decision.reason == "100 units are in off. Find out why."
    assert not look_is_due(PLAN, state(stage=stage), results(findings=(LEAK,)), after(400))


def test_a_finding_never_blocks_a_halt_and_a_warning_blocks_nothing() -> None:
    harmed = results(harmed=True, findings=(LEAK,))
    assert decide(PLAN, state(stage=2), harmed, after(400)).kind is DecisionKind.HALT
    assert decide(PLAN, state(stage=2), results(findings=(FELL,)), after(400)).kind is DecisionKind.PROMOTE


def test_a_pause_holds_for_as_long_as_it_lasts() -> None:
    decision = decide(PLAN, state(paused=True), results(), after(1_000_000))
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "paused")


def test_promotion_needs_the_last_stage() -> None:
    assert decide(PLAN, state(stage=1), results(), after(400)).kind is DecisionKind.ADVANCE
    decision = decide(PLAN, state(stage=2), results(), after(400))
    assert (decision.kind, decision.variant) == (DecisionKind.PROMOTE, "better")
    assert "75 % for better against 60 % for control" in decision.reason


@pytest.mark.parametrize(
    ("guardrail", "goal"),
    [
        (Verdict.INSUFFICIENT, Verdict.PASS),
        (Verdict.FAIL, Verdict.PASS),
        (Verdict.PASS, Verdict.INSUFFICIENT),
        (Verdict.PASS, Verdict.FAIL),
    ],
)
def test_absence_of_evidence_never_promotes(guardrail: Verdict, goal: Verdict) -> None:
    """All of the planned information is there, so no later look could show it."""
    decision = decide(PLAN, state(stage=2), results(guardrail=guardrail, goal=goal), after(400))
    assert decision.kind is DecisionKind.INCONCLUSIVE


def test_time_over_while_waiting_is_inconclusive() -> None:
    decision = decide(PLAN, state(stage=1), results(units=10), after(3600))
    assert (decision.kind, decision.code) == (DecisionKind.INCONCLUSIVE, "time-over")


def test_a_plan_without_a_goal_asks_for_guardrails_alone() -> None:
    guarded = replace(results(), metrics=results().metrics[:1])
    plan = replace(PLAN, metrics=PLAN.metrics[:1])
    decision = decide(plan, state(stage=2), guarded, after(400))
    assert decision.kind is DecisionKind.PROMOTE


def test_the_look_is_due_only_at_the_end_of_the_last_stage() -> None:
    assert not look_is_due(PLAN, state(stage=1), results(), after(400))
    assert not look_is_due(PLAN, state(stage=2), results(), after(299))
    assert not look_is_due(PLAN, state(stage=2), results(units=99), after(400))
    assert not look_is_due(PLAN, state(stage=2, paused=True), results(), after(400))
    assert not look_is_due(PLAN, state(stage=2), results(harmed=True), after(300))
    assert not look_is_due(PLAN, state(stage=2), results(mismatch=True), after(300))
    assert look_is_due(PLAN, state(stage=2), results(), after(300))


@pytest.mark.parametrize(
    ("information", "before", "due"),
    [
        (0.09, None, False),
        (0.1, None, True),
        (0.39, 0.3, False),
        (0.41, 0.3, True),
        (1.0, 0.95, True),
        (1.4, 1.0, False),
    ],
)
def test_a_look_is_due_with_each_step_of_information(information: float, before: float | None, due: bool) -> None:
    keys = ("error-rate", "better"), ("thumbs-up", "better")
    taken = {} if before is None else {key: (Look(before, before),) for key in keys}
    measured = results(information=information)
    assert look_is_due(PLAN, state(stage=2, taken=taken), measured, after(400)) is due
    decision = decide(PLAN, state(stage=2, taken=taken), measured, after(400))
    assert (decision.kind is DecisionKind.PROMOTE) is due


def test_time_over_is_the_last_look_whatever_the_information() -> None:
    measured = results(information=0.01)
    assert look_is_due(PLAN, state(stage=2), measured, after(3000))
    assert decide(PLAN, state(stage=2), measured, after(3000)).kind is DecisionKind.PROMOTE
    missing = results(information=0.01, goal=Verdict.INSUFFICIENT)
    assert decide(PLAN, state(stage=2), missing, after(3000)).kind is DecisionKind.INCONCLUSIVE


def test_what_a_look_does_not_show_waits_for_the_next_one() -> None:
    decision = decide(PLAN, state(stage=2), results(information=0.4, goal=Verdict.INSUFFICIENT), after(400))
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "look-1")
    assert "has 40% of the information that the plan needs" in decision.reason


def test_a_goal_shown_to_be_worse_ends_at_once() -> None:
    decision = decide(PLAN, state(stage=2), results(information=0.4, goal=Verdict.FAIL), after(400))
    assert decision.kind is DecisionKind.INCONCLUSIVE


@given(
    stage=st.integers(0, 2),
    paused=st.booleans(),
    units=st.integers(0, 1000),
    seconds=st.floats(0, 1e6),
    guardrail=st.sampled_from(Verdict),
    goal=st.sampled_from(Verdict),
    mismatch=st.booleans(),
)
def test_every_situation_has_one_decision_and_promotion_is_always_earned(
    stage: int, paused: bool, units: int, seconds: float, guardrail: Verdict, goal: Verdict, mismatch: bool
) -> None:
    measured = results(units=units, guardrail=guardrail, goal=goal, mismatch=mismatch)
    decision = decide(PLAN, state(stage=stage, paused=paused), measured, after(seconds))
    assert decision.reason.endswith(".")
    if decision.kind is DecisionKind.PROMOTE:
        assert stage == 2
        assert not paused
        assert not mismatch
        assert units >= PLAN.minimum_units
        assert guardrail is goal is Verdict.PASS
        assert look_is_due(PLAN, state(stage=stage, paused=paused), measured, after(seconds))
