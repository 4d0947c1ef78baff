"""Evidence of harm starts anew: at few planned moments, one close behind each change, each with a share of alpha."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    Role,
    UnitSums,
)
from experiments.stats.judging.judge import judge, watch
from experiments.stats.judging.later import (
    PART_FROM_START,
    PART_OF_PLANNED,
    PART_OF_STAGES,
    LaterEvidence,
    Since,
    critical_of_maximum,
    harm_since,
)
from experiments.stats.sequential.starts import share_of, starts_in_use

pytestmark = pytest.mark.slow

SINCE = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)
FAILURES = MetricPlan(
    "failures", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.02, MarginKind.ABSOLUTE, minimum_effect=1.0
)
PLAN = JudgePlan((FAILURES,), "control", {"control": 0.5, "new": 0.5})
PLANNED = Since(SINCE, PART_OF_PLANNED * share_of(1024, 4))


def arm(users: int, failed: int) -> UnitSums:
    """Users with two requests each, so many of whom failed once."""
    return UnitSums.of(np.arange(users) < failed, np.full(users, 2.0))


def measured(users: int, control: int, new: int) -> Evidence:
    sums = {("failures", "control"): arm(users, control), ("failures", "new"): arm(users, new)}
    return Evidence({"control": users, "new": users}, sums)


def test_all_shares_together_are_at_most_one() -> None:
    """The first 2^k starts have more of it the longer it lasts, and never more than all."""
    found = [
        sum(share_of(n, k) for n in range(2**octave, 2 ** (octave + 1)) for k in range(octave + 1) if n % 2**k == 0)
        for octave in range(17)
    ]
    assert all(share >= 0.0 for share in found)
    assert 0.6 < sum(found) < 1.0
    assert pytest.approx(1.0) == PART_FROM_START + PART_OF_STAGES + PART_OF_PLANNED


@pytest.mark.parametrize(("ticks", "most"), [(100, 20), (10_000, 50), (1_209_600, 80)])
def test_few_are_in_use_however_long_it_lasts(ticks: int, most: int) -> None:
    assert 0 < max(len(starts_in_use(now)) for now in range(ticks, ticks + 50)) <= most


@given(st.integers(16, 200_000), st.floats(0.01, 0.9))
def test_one_lies_close_behind_each_change(now: int, part: float) -> None:
    """Whenever something changed, the youngest start before it is at most a third older, but for the very first."""
    age = max(part * now, 5.0)
    behind = [now - start.ticks for start in starts_in_use(now) if now - start.ticks >= age]
    assert min([*behind, now]) <= 4.0 / 3.0 * age + 1.0


@given(st.integers(1, 100_000))
def test_each_was_planned_and_is_used_at_one_level(now: int) -> None:
    starts = starts_in_use(now)
    assert len({start.ticks for start in starts}) == len(starts)
    for start in starts:
        assert start.ticks % 2**start.level == 0
        assert 4 * 2**start.level <= now - start.ticks < 8 * 2**start.level
        assert start.share == share_of(start.ticks, start.level)


def test_the_critical_value_is_that_of_the_largest_of_a_random_walk() -> None:
    """B(I)/√I while I doubles, by simulation: exceeded with the chance that was asked for, or a little less."""
    rng, runs, steps, alpha = np.random.default_rng(7), 20_000, 400, 0.02
    walk = rng.normal(size=(runs, 1)) + rng.normal(0.0, steps**-0.5, (runs, steps)).cumsum(axis=1)
    largest = (walk / np.sqrt(1.0 + np.arange(1, steps + 1) / steps)).max(axis=1)
    found = float(np.mean(largest >= float(critical_of_maximum(alpha))))
    assert 0.7 * alpha <= found <= alpha + 3.0 * np.sqrt(alpha / runs)


def test_harm_that_began_late_shows_since_then_alone() -> None:
    """After 20,000 clean users an arm, 300 of whom 60 fail are too few to be seen among all."""
    whole, late = measured(20_300, 103, 160), measured(300, 3, 60)
    assert not judge(PLAN, whole).halt.reached
    found = judge(PLAN, whole, later=[LaterEvidence(PLANNED, late)])
    assert found.halt.blamed == (("failures", "new"),)
    assert found.metrics[0].harmed
    [harm] = found.halt.later
    assert (harm.since, harm.metric, harm.variant) == (SINCE, "failures", "new")
    assert (harm.control_value, harm.variant_value) == (0.005, 0.1)
    assert (harm.control_units, harm.variant_units) == (300, 300)
    assert watch(PLAN, whole, [LaterEvidence(PLANNED, late)]) == found.halt


@pytest.mark.parametrize("stage", [False, True])
def test_a_smaller_share_asks_for_more(stage: bool) -> None:
    late = measured(300, 3, 45)
    shares = [share for share in np.geomspace(1e-12, 1.0, 25) if _harmed(Since(SINCE, share, stage), late)]
    assert 0 < len(shares) < 25
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def _harmed(since: Since, late: Evidence) -> bool:
    return bool(harm_since(PLAN, [LaterEvidence(since, late)]))


def test_other_guardrails_and_candidates_share_what_a_start_has() -> None:
    late = measured(300, 3, 45)
    alone = max(share for share in np.geomspace(1e-9, 1.0, 40) if not _harmed(Since(SINCE, share), late))
    others = tuple(replace(FAILURES, key=f"other-{number}") for number in range(9))
    ten = replace(PLAN, metrics=(FAILURES, *others))
    assert _harmed(Since(SINCE, 2.0 * alone), late)
    assert not harm_since(ten, [LaterEvidence(Since(SINCE, 2.0 * alone), late)])
    assert harm_since(ten, [LaterEvidence(Since(SINCE, 20.0 * alone), late)])


@pytest.mark.parametrize(
    "late",
    [measured(300, 3, 9), measured(300, 60, 3), measured(60, 0, 60), measured(300, 0, 0), Evidence({}, {})],
    ids=["within the margin", "better", "few users", "nothing", "nobody"],
)
def test_nothing_else_halts_since(late: Evidence) -> None:
    for stage in (False, True):
        assert not harm_since(PLAN, [LaterEvidence(Since(SINCE, 1.0, stage), late)])


def test_goals_do_not_halt_since() -> None:
    goal = replace(PLAN, metrics=(replace(FAILURES, role=Role.GOAL),))
    assert not harm_since(goal, [LaterEvidence(PLANNED, measured(300, 3, 150))])


def test_users_that_fail_are_compared_exactly_since() -> None:
    """Of 26 users who fail, 25 are the candidate's: a chance of 27 / 2^26 where both fail alike."""
    share = replace(FAILURES, type=MetricType.PROPORTION, margin=0.0, margin_kind=MarginKind.RELATIVE)
    plan = replace(PLAN, metrics=(share,))
    control, new = UnitSums.of(np.arange(200) < 1), UnitSums.of(np.arange(200) < 25)
    sums = {("failures", "control"): control, ("failures", "new"): new}
    late = Evidence({"control": 200, "new": 200}, sums)
    chance = 27 / 2**26
    # A start's share of halt_alpha / 2 is spent on the largest z of its life, which exceeds z some ten times as often.
    assert harm_since(plan, [LaterEvidence(Since(SINCE, 200 * 20 * chance), late)])
    assert not harm_since(plan, [LaterEvidence(Since(SINCE, 200 * chance), late)])
