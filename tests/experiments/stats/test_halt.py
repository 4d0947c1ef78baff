"""A halt is evidence of harm beyond the margin, at any look, and nothing else is."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.types import Direction, MarginKind, MetricPlan, MetricType, Role, UnitSums, Verdict
from experiments.stats.judging.gather import gather
from experiments.stats.judging.harm import log_harm
from experiments.stats.judging.judge import judge
from tests.experiments.stats.samples import (
    ERRORS,
    FAILED_USERS,
    LATENCY,
    REVENUE,
    THUMBS,
    Values,
    errors,
    evidence,
    latencies,
    plan,
    requests,
    share,
    sums,
    together,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("users", [150, 200, 300])
def test_a_bad_model_is_halted_within_three_hundred_users(users: int) -> None:
    rng = np.random.default_rng(users)
    control, new = requests(rng, users), requests(rng, users)
    measured = together(
        evidence(ERRORS, errors(rng, control, 0.01), errors(rng, new, 0.08)),
        evidence(LATENCY, latencies(rng, control, 200.0), latencies(rng, new, 360.0)),
    )
    halt = judge(plan(ERRORS, LATENCY), measured).halt
    assert halt.reached
    assert set(halt.blamed) <= {("errors", "new"), ("latency", "new")}
    assert ("latency", "new") in halt.blamed


@pytest.mark.parametrize("metric", [FAILED_USERS, replace(FAILED_USERS, margin_kind=MarginKind.ABSOLUTE, margin=0.005)])
def test_harm_of_rare_events_is_found(metric: MetricPlan) -> None:
    harmed = judge(plan(metric), evidence(metric, share(600, 6), share(600, 48)))
    assert harmed.halt.blamed == (("failed-users", "new"),)
    assert harmed.metrics[0].harmed


def test_a_better_candidate_is_never_halted() -> None:
    better = judge(plan(FAILED_USERS), evidence(FAILED_USERS, share(5000, 400), share(5000, 40)))
    assert not better.halt.reached
    assert (better.metrics[0].log_harm or 0.0) < 0.0


@pytest.mark.parametrize(("users", "reached"), [(999, False), (1_000, True), (5_000, True)])
def test_a_large_minimum_of_users_keeps_no_harm_from_being_halted(users: int, reached: bool) -> None:
    """The plan asks for ten million users to go on by; a halt waits for a thousand."""
    huge = plan(FAILED_USERS, minimum_units=10_000_000)
    judged = judge(huge, evidence(FAILED_USERS, share(users, 0), share(users, users)))
    assert judged.halt.reached is reached
    assert judged.metrics[0].verdict is not Verdict.PASS


def test_harm_within_the_margin_is_accepted() -> None:
    """5 % more errors, shown beyond doubt, where the plan accepts 10 %."""
    measured = evidence(FAILED_USERS, share(4_000_000, 400_000), share(4_000_000, 420_000))
    assert not judge(plan(FAILED_USERS), measured).halt.reached
    zero_margin = replace(FAILED_USERS, margin=0.0)
    assert judge(plan(zero_margin), measured).halt.reached


def test_direction_says_which_way_is_harm() -> None:
    success = MetricPlan("success", MetricType.PROPORTION, Direction.INCREASE, Role.GUARDRAIL, margin=0.0)
    measured = evidence(success, share(2000, 1900), share(2000, 1700))
    assert judge(plan(success), measured).halt.reached
    turned = replace(success, direction=Direction.DECREASE)
    assert not judge(plan(turned), measured).halt.reached


def test_goals_and_observed_metrics_never_halt() -> None:
    worse = evidence(THUMBS, share(5000, 4000), share(5000, 1000))
    for role in (Role.GOAL, Role.OBSERVED):
        metric = replace(THUMBS, role=role)
        results = judge(plan(metric), worse)
        assert not results.halt.reached
        assert results.metrics[0].log_harm is None


def test_no_halt_before_the_minimum_of_units() -> None:
    harm = evidence(FAILED_USERS, share(99, 0), share(99, 90))
    assert not judge(plan(FAILED_USERS), harm).halt.reached
    assert judge(plan(FAILED_USERS, minimum_units=50), harm).halt.reached


def test_no_halt_from_a_handful_of_events() -> None:
    """A normal approximation of 6 clustered errors would be no evidence."""
    few = evidence(
        ERRORS, errors(np.random.default_rng(1), np.ones(200), 0.0), sums(np.eye(6, 200).sum(0), np.ones(200))
    )
    result = judge(plan(ERRORS), few).metrics[0]
    assert result.log_harm is None
    assert not result.harmed


def test_one_harmed_guardrail_among_many_needs_more_evidence() -> None:
    """The threshold holds for the whole rollout: more guardrails, more evidence of one of them."""
    harm = evidence(FAILED_USERS, share(1000, 40), share(1000, 80))
    others = [replace(FAILED_USERS, key=f"other-{number}") for number in range(19)]
    calm = [evidence(metric, share(1000, 40), share(1000, 40)) for metric in others]
    alone = judge(plan(FAILED_USERS), harm).halt
    among = judge(plan(FAILED_USERS, *others), together(harm, *calm)).halt
    assert alone.log_e_value - among.log_e_value == pytest.approx(math.log(20), abs=0.1)


def test_the_halt_is_the_mean_over_guardrails_and_candidates() -> None:
    metrics = (FAILED_USERS, replace(FAILED_USERS, key="again"))
    parts = [evidence(m, share(800, 20), share(800, 45), share(800, 30)) for m in metrics]
    results = judge(plan(*metrics, candidates=2), together(*parts))
    e_values = [math.exp(result.log_harm or 0.0) for result in results.metrics]
    assert results.halt.log_e_value == pytest.approx(math.log(sum(e_values) / 4))
    assert results.halt.threshold == pytest.approx(-math.log(0.01 * 0.5 * 0.3)), (
        "half of the 1 % is for looks, and later starts"
    )


def test_harms_that_reach_the_threshold_only_together_are_all_blamed() -> None:
    metrics = tuple(replace(FAILED_USERS, key=f"kind-{number}") for number in range(3))
    counts = next(
        bad
        for bad in range(45, 120)
        if judge(
            plan(*metrics), together(*(evidence(m, share(800, 30), share(800, bad)) for m in metrics))
        ).halt.reached
    )
    measured = together(*(evidence(m, share(800, 30), share(800, counts)) for m in metrics))
    assert len(judge(plan(*metrics), measured).halt.blamed) == 3


def test_a_guardrail_that_cannot_be_measured_hides_no_other() -> None:
    broken = replace(FAILED_USERS, key="broken")
    measured = together(
        evidence(FAILED_USERS, share(1000, 10), share(1000, 120)),
        evidence(broken, sums(np.full(1000, math.nan)), sums(np.ones(1000))),
    )
    results = judge(plan(FAILED_USERS, broken), measured)
    assert results.halt.blamed == (("failed-users", "new"),)
    assert "broken" in results.metrics[1].note


def test_an_arm_that_only_varies_more_is_not_harmed() -> None:
    """Unequal variances at equal means, in a canary of 5 %: pooling alone would raise the alarm in most runs."""
    metric = replace(REVENUE, role=Role.GUARDRAIL, direction=Direction.DECREASE)
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        control, new = rng.normal(10.0, 1.0, 9500), rng.normal(10.0, 8.0, 500)
        alarms += judge(plan(metric), evidence(metric, sums(control), sums(new))).halt.reached
    assert alarms == 0


def test_a_healthy_rollout_looked_at_fifty_times_is_rarely_halted() -> None:
    """At most halt_alpha of rollouts, over both guardrails and every look: 200 runs, 1 % of them plus chance."""
    rng = np.random.default_rng(11)
    runs = 200
    guarded = [replace(ERRORS, key=f"errors-{run}", margin=0.0) for run in range(runs)]
    guarded += [replace(FAILED_USERS, key=f"failed-{run}", margin=0.0) for run in range(runs)]
    judged = plan(*guarded)
    arms = [[_failures(rng, 4000) for _ in range(runs)] for _ in range(2)]
    halted = np.zeros(runs, dtype=np.bool_)
    for users in range(100, 4001, 80):
        control, new = ([_sums_of_first(users, *run) for run in arm] for arm in arms)
        columns = [[both[kind] for both in arm] for kind in range(2) for arm in (control, new)]
        rows = zip(columns[0] + columns[2], columns[1] + columns[3], strict=True)
        measured = together(*(evidence(m, *pair) for m, pair in zip(guarded, rows, strict=True)))
        with np.errstate(all="ignore"):
            log_e = log_harm(judged, gather(judged, measured)).reshape(2, runs)
        halted |= np.exp(np.nan_to_num(log_e, nan=-np.inf)).mean(axis=0) >= 100.0
    assert halted.sum() <= 6


def _failures(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
    counts = requests(rng, users)
    return rng.binomial(counts.astype(np.int64), 0.02).astype(np.float64), counts


def _sums_of_first(users: int, failed: Values, counts: Values) -> tuple[UnitSums, UnitSums]:
    """Errors of all requests, and users with any, of the first users."""
    failed, counts = failed[:users], counts[:users]
    return sums(failed, counts), sums((failed > 0).astype(np.float64))
