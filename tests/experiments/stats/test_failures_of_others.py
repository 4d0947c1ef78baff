"""What went wrong in the judges of others, each a case of ours."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.stats.core.types import Direction, MetricPlan, MetricType, PastLooks, Role, UnitSums, Verdict
from experiments.stats.health import HealthEvidence, Stage, check_health
from experiments.stats.health.sample_ratio import sample_ratio
from experiments.stats.judging.judge import judge
from tests.experiments.stats.samples import ERRORS, FAILED_USERS, evidence, plan, share, together

pytestmark = pytest.mark.slow


def test_kayenta_passed_a_seventyfold_regression_of_sparse_errors() -> None:
    """Kayenta ranks per-minute counts (Mann-Whitney): where most minutes have no error, ranks hardly differ.

    70 times the errors in 10 of 60 minutes: its test at 98 % says pass. Counted by user, the harm is beyond doubt.
    """
    control, canary = np.zeros(60), np.zeros(60)
    control[7] = 1.0
    canary[[3, 11, 19, 30, 41]] = 14.0
    ranks = stats.mannwhitneyu(canary, control, alternative="two-sided", method="asymptotic")
    assert canary.sum() == 70 * control.sum()
    assert ranks.pvalue > 0.02
    failed = evidence(FAILED_USERS, share(6000, 1), share(6000, 70))
    assert judge(plan(FAILED_USERS), failed).halt.reached


def test_a_rank_test_calls_an_arm_worse_that_only_varies_more() -> None:
    """Mann-Whitney assumes equal spread: with unequal ones, equal means are called different far too often.

    The candidate's latency has the same mean and a longer tail. Nothing is harmed, and nothing is halted.
    """
    rng = np.random.default_rng(1)
    latency = MetricPlan("latency", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    called: int = 0
    halted: int = 0
    for _ in range(100):
        control = rng.lognormal(-0.02, 0.2, 400)
        canary = rng.lognormal(-0.32, 0.8, 400)
        called += bool(stats.mannwhitneyu(canary, control).pvalue < 0.02)
        halted += judge(plan(latency), evidence(latency, UnitSums.of(control), UnitSums.of(canary))).halt.reached
    assert called > 90
    assert halted == 0


def test_a_fixed_threshold_of_success_aborts_healthy_canaries() -> None:
    """Argo's and Flagger's usual check: abort when the success rate of an interval is below 95 %.

    A service at 96 % with 60 canary requests an interval fails one of ten such checks by chance in 4 of 10 rollouts
    and more, however good the canary. Beside a control nothing is wrong, and nothing is halted.
    """
    rng = np.random.default_rng(2)
    success = MetricPlan("success", MetricType.PROPORTION, Direction.INCREASE, Role.GUARDRAIL, margin=0.02)
    rollouts, aborted, halted = 30, 0, 0
    units = 60 * np.arange(1, 11)
    for _ in range(rollouts):
        counts = rng.binomial(60, 0.96, (2, 10))
        aborted += bool(np.any(counts[0] / 60 < 0.95))
        rows = zip(units.tolist(), *counts.cumsum(axis=1).tolist(), strict=True)
        halted += any(
            judge(plan(success), evidence(success, share(n, c), share(n, t))).halt.reached for n, t, c in rows
        )
    assert aborted / rollouts > 0.4
    assert halted == 0


def test_growthbook_flipped_the_sign_of_a_lift_over_a_negative_baseline() -> None:
    """A margin of profit that goes from -10 to -5 is better; divided by -10 the lift said 50 % worse.

    Ours is over |control|: the effect, the lift and the verdict point the same way.
    """
    profit = MetricPlan("profit", MetricType.MEAN, Direction.INCREASE, Role.GOAL, minimum_effect=0.2)
    rng = np.random.default_rng(3)
    control, better = UnitSums.of(rng.normal(-10, 4, 2000)), UnitSums.of(rng.normal(-5, 4, 2000))
    result = judge(plan(profit), evidence(profit, control, better), looks=PastLooks(last=True)).metrics[0]
    assert result.effect is not None
    assert result.relative is not None
    assert result.relative_interval is not None
    assert result.effect > 0.0
    assert result.relative > 0.0
    assert 0.0 < result.relative_interval.low < result.relative < result.relative_interval.high
    assert result.verdict is Verdict.PASS


def test_a_margin_over_a_negative_baseline_accepts_harm_and_no_gain() -> None:
    """10 % of |-10| is 1: falling to -10.5 is within the margin, falling to -13 is not."""
    profit = MetricPlan("profit", MetricType.MEAN, Direction.INCREASE, Role.GUARDRAIL, margin=0.1)
    rng = np.random.default_rng(4)
    control = UnitSums.of(rng.normal(-10, 2, 8000))
    verdicts = [
        judge(
            plan(profit), evidence(profit, control, UnitSums.of(rng.normal(value, 2, 8000))), looks=PastLooks(last=True)
        )
        for value in (-10.5, -13.0)
    ]
    assert [results.metrics[0].verdict for results in verdicts] == [Verdict.PASS, Verdict.FAIL]
    assert verdicts[1].halt.reached


def test_growthbook_was_blind_to_users_in_an_arm_without_a_share() -> None:
    """Weight 0 was left out of the sum but counted in the total and the degrees of freedom: p = .61 for 100 strays."""
    shares = {"control": 0.5, "new": 0.5, "off": 0.0}
    stray = {"control": 5000, "new": 5000, "off": 100}
    assert sample_ratio(shares, stray).mismatch
    findings = check_health(HealthEvidence("control", (Stage("half", shares, stray),)))
    assert [finding.code for finding in findings] == ["leak"]


def test_a_holdout_is_no_mismatch() -> None:
    """Users who are held out are listed with a share of 0 and never measured; that is as it should be."""
    shares = {"control": 0.5, "new": 0.5, "holdout": 0.0}
    kept = {"control": 5030, "new": 4970}
    assert not sample_ratio(shares, kept).mismatch
    assert check_health(HealthEvidence("control", (Stage("half", shares, {**kept, "holdout": 0}),))) == ()


def test_not_significant_was_taken_for_safe() -> None:
    """GrowthBook's safe rollouts ship when nothing was significant: a guardrail with a tenth of its data cannot be.

    Errors are twice as many, and 150 users say nothing about it. The verdict is that there is not enough data.
    """
    unclear = evidence(FAILED_USERS, share(150, 3), share(150, 6))
    result = judge(plan(FAILED_USERS), unclear, looks=PastLooks(last=True)).metrics[0]
    assert result.verdict is Verdict.INSUFFICIENT
    assert not result.harmed
    assert (result.information_fraction or 0.0) < 0.1


def test_twenty_guardrails_at_five_per_cent_each_stop_three_of_ten_good_rollouts() -> None:
    """Uncorrected, as by default elsewhere. Ours share one evidence, and good rollouts go on."""
    rng = np.random.default_rng(5)
    guardrails = [replace(ERRORS, key=f"guard-{number}", margin=0.0) for number in range(20)]
    rollouts, naive, halted = 100, 0, 0
    for _ in range(rollouts):
        units, sent = 3000, np.full(3000, 2.0)
        parts = []
        lowest = 1.0
        for metric in guardrails:
            failed = rng.binomial(2, 0.02, (2, units)).astype(np.float64)
            parts.append(evidence(metric, *(UnitSums.of(row, sent) for row in failed)))
            lowest = min(lowest, float(stats.ttest_ind(failed[1], failed[0], alternative="greater").pvalue))
        naive += lowest < 0.05
        halted += judge(plan(*guardrails), together(*parts)).halt.reached
    assert naive / rollouts > 0.3
    assert halted / rollouts <= 0.01 + 4 * math.sqrt(0.01 * 0.99 / rollouts)
