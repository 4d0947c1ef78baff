"""Verdicts at looks: alpha is spent once, goals share it, and too little or shrinking information says so."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from experiments.stats.core.spending import POCOCK, Look
from experiments.stats.core.types import (
    Evidence,
    JudgePlan,
    MetricPlan,
    MetricType,
    PastLooks,
    Results,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from experiments.stats.sequential.group_sequential import critical_values
from tests.experiments.stats.samples import FAILED_USERS, LATENCY, THUMBS, evidence, plan, share, together

pytestmark = pytest.mark.slow

GUARDRAIL = replace(FAILED_USERS, margin=0.0)


def looks_after(results: Results, before: PastLooks) -> PastLooks:
    """The looks taken, with the present one."""
    taken = dict(before.taken)
    for result in results.metrics:
        assert result.information is not None
        name = result.metric, result.variant
        look = Look(result.information, min(result.information_fraction or 0.0, 1.0))
        taken[name] = (*taken.get(name, ()), look)
    return PastLooks(taken)


def test_looking_several_times_passes_a_candidate_that_is_no_better_at_most_as_often_as_promised() -> None:
    """400 metrics without a difference, each looked at five times: alpha of them pass, plus chance, and not fewer."""
    rng = np.random.default_rng(3)
    metrics = [replace(GUARDRAIL, key=f"metric-{run}") for run in range(400)]
    judged = replace(plan(*metrics), looks=5)
    events = rng.binomial(2000, 0.3, (5, 2, 400)).cumsum(axis=0)
    looks, passed = PastLooks(), np.zeros(400, dtype=np.bool_)
    for number in range(5):
        units = 2000 * (number + 1)
        rows = zip(metrics, *events[number], strict=True)
        measured = together(*(evidence(m, share(units, int(c)), share(units, int(t))) for m, c, t in rows))
        results = judge(judged, measured, looks=replace(looks, last=number == 4))
        looks = looks_after(results, looks)
        passed |= np.array([result.verdict is Verdict.PASS for result in results.metrics])
    chance = 4.0 * np.sqrt(0.05 * 0.95 / 400)
    assert passed.mean() == pytest.approx(0.05, abs=chance)


def judged_once(units: int, looks: PastLooks, *, judge_plan: JudgePlan) -> Results:
    return judge(judge_plan, evidence(THUMBS, share(units, units // 2), share(units, int(units * 0.53))), looks=looks)


def test_the_critical_value_follows_from_the_looks_before() -> None:
    goal = plan(THUMBS)
    first = judged_once(1000, PastLooks(), judge_plan=goal)
    again = judged_once(2000, looks_after(first, PastLooks()), judge_plan=goal)
    fresh = judged_once(2000, PastLooks(), judge_plan=goal)
    critical = [results.metrics[0].critical_value or 0.0 for results in (first, again, fresh)]
    assert critical[0] > critical[1] > critical[2]
    assert critical[1] - critical[2] < 0.05


def test_the_last_look_spends_what_is_left() -> None:
    goal = plan(THUMBS)
    last = judged_once(300, PastLooks(last=True), judge_plan=goal).metrics[0]
    assert last.critical_value == pytest.approx(1.959963984540054)
    assert last.look_interval is not None
    assert last.interval is not None
    assert last.look_interval.low == pytest.approx(last.interval.low, rel=1e-6)


def test_pocock_asks_for_less_early() -> None:
    early = judged_once(500, PastLooks(), judge_plan=plan(THUMBS)).metrics[0]
    pocock = judged_once(500, PastLooks(), judge_plan=replace(plan(THUMBS), spending=POCOCK)).metrics[0]
    assert (pocock.critical_value or 9.9) < (early.critical_value or 0.0)


def test_what_a_look_has_shown_stays_shown() -> None:
    """A guardrail may have all of its information, and its alpha spent, long before a goal has."""
    guardrail = replace(FAILED_USERS, margin=1.0)
    judged = plan(guardrail)
    shown = judge(judged, evidence(guardrail, share(8000, 400), share(8000, 400)))
    assert shown.metrics[0].verdict is Verdict.PASS
    taken = {("failed-users", "new"): (Look(shown.metrics[0].information or 0.0, 1.0),)}
    more = evidence(guardrail, share(9000, 450), share(9000, 450))
    remembered = PastLooks(taken, frozenset({("failed-users", "new")}))
    assert judge(judged, more, looks=remembered).metrics[0].verdict is Verdict.PASS
    assert judge(judged, more, looks=PastLooks(taken)).metrics[0].verdict is Verdict.INSUFFICIENT
    harmed = evidence(guardrail, share(9000, 450), share(9000, 1800))
    assert judge(judged, harmed, looks=remembered).metrics[0].verdict is Verdict.FAIL


def test_what_a_look_has_shown_is_shown_no_more_once_the_estimate_is_beyond_the_margin() -> None:
    """From 5 % of the users to 10.1 %, where twice as many are accepted: too little to halt, too much to promote."""
    guardrail = replace(FAILED_USERS, margin=1.0)
    name = ("failed-users", "new")
    remembered = PastLooks({name: (Look(1e9, 1.0),)}, frozenset({name}))

    def verdict(failed: int) -> Verdict:
        seen = evidence(guardrail, share(9000, 450), share(9000, failed))
        return judge(plan(guardrail), seen, looks=remembered).metrics[0].verdict

    assert verdict(890) is Verdict.PASS
    assert verdict(910) is Verdict.INSUFFICIENT


def test_a_goal_shown_earlier_has_handed_its_alpha_on() -> None:
    second = replace(THUMBS, key="second")
    border = together(
        evidence(THUMBS, share(5000, 2500), share(5000, 2500)), evidence(second, share(5000, 2500), share(5000, 2603))
    )
    remembered = PastLooks(shown=frozenset({("thumbs", "new")}), last=True)
    verdicts = [result.verdict for result in judge(plan(THUMBS, second), border, looks=remembered).metrics]
    assert verdicts == [Verdict.PASS, Verdict.PASS]


def test_information_that_fell_keeps_the_critical_value_of_the_look_before() -> None:
    """The reference is the recursion at the looks that were taken, without the present one."""
    goal = plan(THUMBS)
    taken = (Look(800.0, 0.25), Look(2400.0, 0.75))
    result = judged_once(1000, PastLooks({("thumbs", "new"): taken}), judge_plan=goal).metrics[0]
    assert result.critical_value == pytest.approx(critical_values(taken, 0.025)[-1], abs=1e-6)
    assert (result.information, result.information_fraction) == (2400.0, 0.75)
    assert result.verdict is Verdict.INSUFFICIENT
    assert not result.note


def test_a_last_look_whose_information_fell_spends_what_is_left() -> None:
    """What O'Brien and Fleming's function leaves of 2.5 % at three quarters: 2.5 % - (2 - 2 Phi(z / sqrt(0.75)))."""
    taken = (Look(800.0, 0.25), Look(2400.0, 0.75))
    before = PastLooks({("thumbs", "new"): taken}, last=True)
    result = judged_once(1000, before, judge_plan=plan(THUMBS)).metrics[0]
    left = 0.025 - 2.0 * norm.sf(norm.isf(0.0125) / np.sqrt(0.75))
    assert result.critical_value == pytest.approx(norm.isf(left), abs=1e-6)
    assert norm.isf(left) < critical_values(taken, 0.025)[-1]


def test_what_was_shown_stays_shown_though_information_fell() -> None:
    name = ("thumbs", "new")
    before = PastLooks({name: (Look(1e6, 0.9),)}, frozenset({name}))
    assert judged_once(300, before, judge_plan=plan(THUMBS)).metrics[0].verdict is Verdict.PASS


def test_an_observed_metric_beyond_all_doubt_is_a_discovery() -> None:
    """Its p-value is 1 to the last digit on the wrong side, and 0 on the other."""
    watched = replace(THUMBS, role=Role.OBSERVED)
    parts = evidence(watched, share(90_000, 80_000), share(90_000, 10_000))
    found = judge(plan(watched), parts).metrics[0]
    assert found.verdict is Verdict.FAIL
    assert found.critical_value == pytest.approx(1.959963984540054)


def test_among_observed_metrics_chance_finds_few() -> None:
    """Of 400 metrics without a difference, single tests at 5 % would call about 20 found."""
    rng = np.random.default_rng(5)
    metrics = [MetricPlan(f"m-{n}", THUMBS.type, THUMBS.direction, Role.OBSERVED) for n in range(400)]
    counts = rng.binomial(3000, 0.2, (2, 400))
    parts: list[Evidence] = [
        evidence(metric, share(3000, int(c)), share(3000, int(t)))
        for metric, c, t in zip(metrics, *counts, strict=True)
    ]
    results = judge(plan(*metrics), together(*parts))
    assert sum((result.p_value or 1.0) < 0.025 for result in results.metrics) > 4
    assert sum(result.verdict is not Verdict.INSUFFICIENT for result in results.metrics) <= 2


def test_totals_that_grow_bring_information_and_no_look_for_nothing() -> None:
    """The same users at 10 looks: their totals differ ever more in the metric's unit, and less beside the control's.

    All of alpha is spent once all of the planned information is there, whatever else asks for more looks.
    """
    rng = np.random.default_rng(12)
    guardrail = replace(LATENCY, key="total", type=MetricType.MEAN, margin=0.1)
    totals, looks, known, spent = np.zeros((2, 6000)), PastLooks(), [], []
    for _ in range(10):
        totals += rng.gamma(0.1, 10.0, totals.shape)
        results = judge(plan(guardrail), evidence(guardrail, *(UnitSums.of(arm) for arm in totals)), looks=looks)
        looks = looks_after(results, looks)
        known.append(results.metrics[0].information_fraction or 0.0)
        spent.append(results.metrics[0].critical_value is None)
    assert known == sorted(known)
    full = known.index(1.0)
    assert 1 <= full <= 7
    assert spent == [False] * (full + 1) + [True] * (9 - full)
