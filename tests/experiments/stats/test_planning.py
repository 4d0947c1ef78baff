"""What a plan needs, whether it then holds, and when it will be there."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import JudgePlan, MetricType, Role, UnitSums
from experiments.stats.metrics.heavy import THRESHOLDS
from experiments.stats.planning import (
    Arrivals,
    Baseline,
    Question,
    StageTarget,
    design_effect,
    minimum_effect,
    planned_units,
    power,
    schedule,
    sensitivity,
    units_needed,
)
from experiments.stats.planning.baseline import from_history, mean, share, share_of_requests
from tests.experiments.stats.samples import ERRORS, LATENCY, THUMBS, plan

pytestmark = pytest.mark.slow

RUNS = 4000
CHANCE = 4 * math.sqrt(0.8 * 0.2 / RUNS)
BASELINES = st.one_of(st.floats(0.001, 0.5).map(share), st.floats(0.1, 100).map(lambda value: mean(value, 2 * value)))
QUESTIONS = st.builds(
    Question,
    level=st.floats(0.001, 0.1),
    power=st.floats(0.5, 0.95),
    control_ratio=st.floats(0.2, 5),
    inflation=st.floats(1, 2),
)


@given(BASELINES, QUESTIONS, st.floats(0.01, 0.5))
def test_power_and_smallest_effect_are_the_way_back(baseline: Baseline, question: Question, relative: float) -> None:
    effect = relative * baseline.value
    units = units_needed(baseline, effect, question)
    assert power(baseline, effect, units, question) == pytest.approx(question.power, abs=1e-9)
    assert minimum_effect(baseline, units, question) == pytest.approx(effect, rel=1e-5)


@given(BASELINES, QUESTIONS, st.floats(0.01, 0.5), st.booleans())
def test_margins_have_a_way_back_too(baseline: Baseline, question: Question, margin: float, relative: bool) -> None:
    asked = replace(question, margin=margin, margin_is_relative=relative)
    units = units_needed(baseline, 0.0, asked)
    assert power(baseline, 0.0, units, asked) == pytest.approx(question.power, abs=1e-9)
    assert minimum_effect(baseline, units, asked) == pytest.approx(margin, rel=1e-5)


def rejections(p_t: float, p_c: float, units: float, question: Question) -> float:
    rng = np.random.default_rng(1)
    n_t, n_c = round(units), round(units * question.control_ratio)
    t, c = rng.binomial(n_t, p_t, RUNS) / n_t, rng.binomial(n_c, p_c, RUNS) / n_c
    error = np.sqrt(t * (1 - t) / n_t + c * (1 - c) / n_c)
    return float(np.mean((t - c) / error > 1.959963984540054))


@pytest.mark.parametrize("ratio", [1.0, 4.0])
def test_a_share_is_told_apart_as_often_as_planned(ratio: float) -> None:
    question = Question(control_ratio=ratio)
    units = units_needed(share(0.1), 0.03, question)
    assert rejections(0.13, 0.1, units, question) == pytest.approx(0.8, abs=CHANCE + 0.02)


def test_an_equal_candidate_passes_its_margin_as_often_as_planned() -> None:
    asked = Question(level=0.05, margin=0.2, margin_is_relative=True)
    units = round(units_needed(share(0.1), 0.0, asked))
    rng = np.random.default_rng(2)
    t, c = rng.binomial(units, 0.1, (2, RUNS)) / units
    error = np.sqrt(t * (1 - t) / units + 1.2**2 * c * (1 - c) / units)
    assert np.mean((1.2 * c - t) / error > 1.6448536) == pytest.approx(0.8, abs=CHANCE + 0.02)


def test_requests_of_one_user_count_as_the_design_effect_says() -> None:
    """Users with 1 to many requests and an error rate of their own: the planned users give the planned power."""
    m, rho = 5.0, 0.2
    baseline = share_of_requests(0.2, m, correlation=rho, variation=math.sqrt(1 - 1 / m))
    units = round(units_needed(baseline, 0.04))
    rng = np.random.default_rng(3)
    found = 0
    runs = 1500
    for _ in range(runs):
        estimates = []
        for rate in (0.2, 0.24):
            sent = rng.geometric(1 / m, units)
            own = rng.beta(rate * (1 / rho - 1), (1 - rate) * (1 / rho - 1), units)
            failed = rng.binomial(sent, own)
            ratio = failed.sum() / sent.sum()
            residual = failed - ratio * sent
            estimates.append((ratio, residual.var(ddof=1) / sent.mean() ** 2 / units))
        difference = estimates[1][0] - estimates[0][0]
        found += difference / math.sqrt(estimates[0][1] + estimates[1][1]) > 1.959963984540054
    assert found / runs == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / runs) + 0.02)


def test_history_says_the_same_as_what_one_states() -> None:
    assert from_history(MetricType.PROPORTION, UnitSums.of(np.arange(1000) < 100)) == share(0.1)
    rng = np.random.default_rng(4)
    values = rng.normal(10, 2, 5000)
    assert from_history(MetricType.MEAN, UnitSums.of(values)).unit_variance == pytest.approx(4.0, rel=0.1)
    sent = rng.geometric(0.2, 5000)
    known = from_history(MetricType.RATIO, UnitSums.of(rng.binomial(sent, 0.1), sent))
    stated = share_of_requests(0.1, 5.0, correlation=0.0)
    assert known.unit_variance == pytest.approx(stated.unit_variance, rel=0.15)


def test_the_most_demanding_metric_decides() -> None:
    judged = plan(THUMBS, LATENCY, ERRORS)
    baselines = {
        "thumbs": share(0.4),
        "latency": mean(100.0, 50.0),
        "errors": share_of_requests(0.01, 5, correlation=0.1),
    }
    found = planned_units(judged, baselines)
    assert {need.metric for need in found.metrics} == {"thumbs", "latency", "errors"}
    assert found.binding.units == max(need.units for need in found.metrics)
    assert found.total == pytest.approx(2 * found.binding.units)


def test_more_guardrails_candidates_and_looks_ask_for_more() -> None:
    def total(judged: JudgePlan) -> float:
        return planned_units(judged, {metric.key: share(0.2) for metric in judged.metrics}).total

    one_look = replace(plan(THUMBS), looks=1)
    assert total(plan(THUMBS)) == pytest.approx(1.0457 * total(one_look), rel=0.005)
    assert total(plan(THUMBS, candidates=2)) > 1.5 * total(plan(THUMBS))
    guarded = plan(THUMBS, replace(THUMBS, key="guard", role=Role.GUARDRAIL, margin=0.5))
    assert total(guarded) > total(plan(THUMBS))


def test_stages_end_when_their_units_are_there() -> None:
    stages = [StageTarget(0.01, 1.0, units=200), StageTarget(0.1, 4.0), StageTarget(0.5, 2.0)]
    found = schedule(stages, Arrivals(2000.0), share=0.5, units=20_000)
    assert [stage.ends for stage in found.stages] == pytest.approx([20.0, 24.0, 40.0])
    assert found.stages[0].units == pytest.approx(200)
    assert found.stages[-1].units == pytest.approx(20_000)
    assert found.whole_weeks_hours == 168.0
    slower = schedule(stages, Arrivals(2000.0, 0.7), share=0.5, units=20_000)
    assert slower.hours > found.hours


def heavy_and_light(part: float, requests: int) -> Baseline:
    """Of 40,000 users some send so many requests and all others one; two requests in a thousand fail."""
    rng = np.random.default_rng(5)
    sent = np.where(np.arange(40_000) < 40_000 * part, float(requests), 1.0)
    reached = [int((sent >= threshold).sum()) for threshold in THRESHOLDS]
    return from_history(MetricType.RATIO, UnitSums.of(rng.binomial(sent.astype(np.int64), 0.002), sent), reached)


HALF_A_POINT = replace(ERRORS, margin=0.005, counts_events=True)


def test_a_share_of_requests_needs_users_for_what_heavy_ones_may_do() -> None:
    """The variance under the hypothesis is margin · h / requests and more, for users of whom ten send h requests."""
    judged = replace(plan(HALF_A_POINT), looks=1)
    [heavy] = planned_units(judged, {"errors": heavy_and_light(0.01, 44)}).metrics
    [light] = planned_units(judged, {"errors": heavy_and_light(0.01, 1)}).metrics

    # 0.99 + 0.44 requests a user; level 5 %, power 1 - 0.2 / 2.
    of_chance, of_heavy = 2.0 * 0.002 * 0.998 / 1.43, 0.005 * 44.0 / 1.43
    wanted = (1.6449 + 1.2816) ** 2 * (of_chance + of_heavy) / 0.005**2
    assert heavy.units == pytest.approx(wanted, rel=0.03)
    assert heavy.heavy == 44.0
    assert light.units < heavy.units / 10.0
    assert light.heavy == 0.0


def test_who_is_too_rare_to_be_met_ten_times_asks_for_nothing() -> None:
    few, many = (heavy_and_light(0.01, 44).heaviest(units) * 1.43 for units in (900.0, 1100.0))

    assert (few, many) == pytest.approx((1.0, 44.0))


def test_requests_that_are_stated_are_spread_as_is_said_of_them() -> None:
    """The tenth heaviest of users whose requests are geometric, whose standard deviation is about their mean."""
    rng = np.random.default_rng(6)
    tenth = np.sort(rng.geometric(0.2, (200, 2000)), axis=1)[:, -10].mean()
    stated = share_of_requests(0.01, 5.0, correlation=0.1)

    assert tenth <= stated.heaviest(2000.0) * 5.0 <= 1.5 * tenth


def test_of_a_crowd_that_is_always_the_same_no_number_of_days_will_do() -> None:
    crowd = Arrivals(1000.0, 0.3, most=2000.0)

    assert crowd.units([1.0, 1000.0]).tolist() == [1000.0, 2000.0]
    assert schedule([StageTarget(1.0, 0.0)], crowd, share=0.5, units=1000).hours < math.inf
    with pytest.raises(StatisticsError) as error:
        schedule([StageTarget(1.0, 0.0)], crowd, share=0.5, units=1001)
    assert error.value.code == "crowd-too-small"
    assert "2,002 users" in str(error.value)


def test_a_plan_that_takes_too_long_is_refused() -> None:
    with pytest.raises(StatisticsError) as error:
        schedule([StageTarget(1.0, 0.0)], Arrivals(10.0), share=0.5, units=100_000, maximum_hours=336)
    assert error.value.code == "too-slow"
    assert "833 days" in str(error.value)


def test_the_smallest_effect_falls_with_every_day() -> None:
    curve = sensitivity(share(0.1), Arrivals(100.0), list(range(1, 29)), share=0.5)
    assert np.all(np.diff(curve) < 0)
    assert curve[27] == pytest.approx(curve[6] / 2, rel=0.1)
    assert math.isnan(sensitivity(share(0.1), Arrivals(0.1), [0.5], share=0.5)[0])


def test_shares_of_users_may_be_unequal() -> None:
    """A candidate with a tenth of users needs fewer itself, and the experiment far more."""
    uneven = JudgePlan((THUMBS,), "control", {"control": 0.9, "new": 0.1})
    even, found = planned_units(plan(THUMBS), {"thumbs": share(0.3)}), planned_units(uneven, {"thumbs": share(0.3)})
    assert found.binding.units < even.binding.units
    assert found.total > 2.5 * even.total


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: units_needed(share(0.1), 0.0), "effect-zero"),
        (lambda: units_needed(share(0.1), 0.95), "share-range"),
        (lambda: units_needed(share(0.1), 0.01, Question(level=0.6)), "question-range"),
        (lambda: units_needed(share(0.1), 0.01, Question(power=math.nan)), "question-range"),
        (lambda: units_needed(share(0.1), 0.0, Question(equivalence=True)), "question-range"),
        (lambda: power(share(0.1), 0.01, 0.0), "units-range"),
        (lambda: minimum_effect(share(0.1), 3.0), "effect-none"),
        (lambda: share(1.0), "baseline-range"),
        (lambda: mean(math.nan, 1.0), "baseline-range"),
        (lambda: from_history(MetricType.MEAN, UnitSums.of([1.0])), "baseline-range"),
        (lambda: from_history(MetricType.MEAN, UnitSums.of([1.0, 1.0])), "baseline-range"),
        (lambda: share_of_requests(0.1, 0.5, correlation=0.1), "requests-range"),
        (lambda: design_effect(5.0, correlation=1.5), "correlation-range"),
        (lambda: mean(1.0, 1.0).adjusted(1.0), "correlation-range"),
        (lambda: planned_units(plan(THUMBS), {}), "baseline-missing"),
        (lambda: planned_units(plan(replace(THUMBS, role=Role.OBSERVED)), {}), "metrics-none"),
        (lambda: schedule([], Arrivals(1.0), share=0.5, units=1), "stages-range"),
        (lambda: schedule([StageTarget(1.0, 0.0)], Arrivals(0.0), share=0.5, units=1), "arrivals-range"),
    ],
)
def test_nonsense_has_a_name(call: object, code: str) -> None:
    assert callable(call)
    with pytest.raises(StatisticsError) as error:
        call()
    assert error.value.code == code
