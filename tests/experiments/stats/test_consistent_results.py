"""Whatever the data, the fields of a result agree with each other, and all of them can be stored."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from experiments.stats.core.types import (
    Direction,
    Evidence,
    Interval,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricResult,
    MetricType,
    PastLooks,
    Results,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from experiments.stats.metrics.quantiles import clustered_quantile
from experiments.stored_results import read_results, write_results
from tests.experiments.stats.samples import evidence, plan

pytestmark = pytest.mark.slow

RESULTS = TypeAdapter(Results)
SLACK = 1e-9

SIZES = st.sampled_from([1, 2, 3, 7, 60, 400])
SCALES = st.sampled_from([1e-160, 1e-9, 0.1, 1.0, 0.3e3, 1.7e9, 1e140, -2.5])


@st.composite
def totals(draw: st.DrawFn, kind: MetricType) -> UnitSums:
    """One arm: constants, few or many distinct values, one unit that holds nearly all, or nothing but zeros."""
    units, seed = draw(SIZES), draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    counts = np.where(draw(st.booleans()), rng.integers(1, 9, units), 1).astype(np.float64)
    if draw(st.booleans()):
        counts[0] = draw(st.sampled_from([0.0, 1.0, 1e6]))
    if kind in (MetricType.PROPORTION, MetricType.ACCURACY, MetricType.PRECISION, MetricType.RECALL, MetricType.F1):
        rate = draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))
        if kind is MetricType.PROPORTION:
            return UnitSums.of(rng.random(units) < rate)
        return UnitSums.of(rng.binomial(counts.astype(np.int64), rate), counts)
    spread = draw(st.sampled_from([0.0, 0.0, 1e-12, 0.02, 1.0]))
    values = draw(SCALES) * (1.0 + spread * rng.standard_normal(units))
    if kind is MetricType.RATIO:
        return UnitSums.of(values * counts, counts)
    if kind is MetricType.QUANTILE:
        return clustered_quantile(values, np.arange(units), 0.5).as_sums()
    return UnitSums.of(values)


@st.composite
def situations(draw: st.DrawFn) -> tuple[JudgePlan, Evidence, PastLooks]:
    kind = draw(st.sampled_from(list(MetricType)))
    metric = MetricPlan(
        "metric",
        kind,
        draw(st.sampled_from(list(Direction))),
        draw(st.sampled_from(list(Role))),
        margin=draw(st.sampled_from([0.0, 0.1, 3.0])),
        margin_kind=draw(st.sampled_from(list(MarginKind))),
        minimum_effect=draw(st.sampled_from([1e-6, 0.05, 2.0])),
    )
    measured = evidence(metric, draw(totals(kind)), draw(totals(kind)))
    judged = plan(metric, minimum_units=draw(st.sampled_from([1, 50])))
    return judged, measured, PastLooks(last=draw(st.booleans()))


def inside(value: float, interval: Interval) -> bool:
    slack = SLACK * max(abs(interval.low), abs(interval.high), abs(value))
    return interval.low - slack <= value <= interval.high + slack


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(situations())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_result_can_be_stored_and_read_again_as_it_is(situation: tuple[JudgePlan, Evidence, PastLooks]) -> None:
    """JSON has no infinity and no NaN, so a result with either would come back as another one."""
    judged, measured, looks = situation
    results = judge(judged, measured, looks=looks)
    assert read_results(write_results(results)) == results


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(situations())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_fields_of_a_result_agree(situation: tuple[JudgePlan, Evidence, PastLooks]) -> None:
    judged, measured, looks = situation
    [found] = judge(judged, measured, looks=looks).metrics
    _check_intervals(found)
    _check_shares(found)
    if found.effect is None:
        assert (found.interval, found.p_value, found.verdict) == (None, None, Verdict.INSUFFICIENT)
        assert found.note


def _check_intervals(found: MetricResult) -> None:
    """An interval that cannot be told is told in no unit; each one holds what was measured."""
    if found.interval is None:
        assert (found.relative_interval, found.look_interval, found.anytime_interval) == (None, None, None)
    for interval in (found.interval, found.look_interval, found.anytime_interval):
        assert interval is None or (found.effect is not None and inside(found.effect, interval))
    if found.relative_interval is not None:
        assert found.relative is not None
        assert inside(found.relative, found.relative_interval)


def _check_shares(found: MetricResult) -> None:
    assert (found.information is None) == (found.information_fraction is None)
    assert 0.0 <= (found.information_fraction or 0.0) <= 1.0
    assert 0.0 <= (found.p_value or 0.0) <= 1.0
    assert (found.p_value is None) == (found.information is None)


CONSTANT: Mapping[MetricType, MetricPlan] = {
    kind: MetricPlan("metric", kind, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
    for kind in (MetricType.MEAN, MetricType.RATIO, MetricType.QUANTILE)
}


def constant(kind: MetricType, value: float, units: int) -> UnitSums:
    """An arm whose units all have the same value, added up one by one as a database does."""
    counts = 1.0 + (np.arange(units) % 5 if kind is MetricType.RATIO else np.zeros(units))
    if kind is MetricType.QUANTILE:
        return clustered_quantile(np.full(units, value), np.arange(units), 0.5).as_sums()
    columns = (value * counts, counts, (value * counts) ** 2, counts**2, value * counts**2)
    return UnitSums(units, *(_one_by_one(column) for column in columns))


def _one_by_one(column: np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]) -> float:
    return float(np.cumsum(column)[-1])


@pytest.mark.parametrize("kind", list(CONSTANT))
@given(
    value=st.floats(1e-6, 0.9) | st.floats(1.1, 1e6),
    times=st.sampled_from([1.0, 1.5, 1.0 + 1e-15]),
    units=st.sampled_from([100, 999, 20_000]),
)
@settings(max_examples=60, deadline=None)
def test_where_no_unit_differs_from_another_chance_cannot_be_told_from_effect(
    kind: MetricType, value: float, times: float, units: int
) -> None:
    """What rounding leaves of the sums is no variance: it made one of 10⁻³⁰, and information beyond all measure."""
    measured = evidence(CONSTANT[kind], constant(kind, value, units), constant(kind, value * times, units))
    [found] = judge(plan(CONSTANT[kind]), measured).metrics
    assert found.relative == pytest.approx(times - 1.0, abs=1e-9)
    told = (found.interval, found.relative_interval, found.look_interval, found.anytime_interval)
    assert told == (None, None, None, None)
    assert (found.p_value, found.information, found.information_fraction) == (None, None, None)
    assert found.verdict is (Verdict.FAIL if found.harmed else Verdict.INSUFFICIENT)
    assert "chance cannot be told from effect" in found.note


@pytest.mark.parametrize("kind", [MetricType.MEAN, MetricType.RATIO])
def test_constants_that_differ_still_halt(kind: MetricType) -> None:
    """Each of 5 000 users costs half as much again: users as a whole do differ, by their arm."""
    measured = evidence(CONSTANT[kind], constant(kind, 0.1, 5000), constant(kind, 0.15, 5000))
    assert judge(plan(CONSTANT[kind]), measured).halt.blamed == (("metric", "new"),)


@pytest.mark.parametrize("kind", [MetricType.MEAN, MetricType.RATIO])
def test_constants_that_agree_never_halt(kind: MetricType) -> None:
    strict = replace(CONSTANT[kind], margin=0.0)
    measured = evidence(strict, constant(kind, 0.1, 5000), constant(kind, 0.1, 4999))
    assert not judge(plan(strict), measured).halt.reached


def test_one_arm_that_varies_is_enough_for_all_intervals() -> None:
    rng = np.random.default_rng(4)
    metric = CONSTANT[MetricType.MEAN]
    varied = UnitSums.of(rng.normal(2.0, 0.5, 3000))
    for arms in ((constant(MetricType.MEAN, 2.0, 3000), varied), (varied, constant(MetricType.MEAN, 2.0, 3000))):
        [found] = judge(plan(metric), evidence(metric, *arms)).metrics
        assert found.interval is not None
        assert found.relative_interval is not None
        assert found.anytime_interval is not None


def test_more_information_than_the_plan_needs_is_all_of_it() -> None:
    rng = np.random.default_rng(4)
    metric = CONSTANT[MetricType.MEAN]
    arms = [UnitSums.of(rng.normal(2.0, 0.001, 5000)) for _ in range(2)]
    [found] = judge(plan(metric), evidence(metric, *arms)).metrics
    assert found.information_fraction == 1.0
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("size", [1e-150, 1e152])
def test_values_at_the_ends_of_what_floats_hold_do_not_contradict_each_other(size: float) -> None:
    rng = np.random.default_rng(4)
    metric = CONSTANT[MetricType.MEAN]
    arms = [UnitSums.of(size * rng.normal(2.0, 0.5, 500)) for _ in range(2)]
    [found] = judge(plan(metric), evidence(metric, *arms)).metrics
    assert "contradict" not in found.note
    assert found.variant_value is not None
    assert math.isclose(found.variant_value, 2.0 * size, rel_tol=0.1)
