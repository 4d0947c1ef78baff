"""What a metric says does not hang on its unit, on how its rows lie, or on which arm is called the candidate."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.core.types import (
    Direction,
    MarginKind,
    MetricPlan,
    MetricResult,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
)
from experiments.stats.judging.judge import judge
from experiments.stats.metrics.classification import Outcomes
from experiments.stats.metrics.quantiles import clustered_quantile
from tests.experiments.stats.samples import Values, evidence, plan

AMOUNTS = (MetricType.MEAN, MetricType.RATIO, MetricType.QUANTILE)
CLASSIFIERS = (MetricType.ACCURACY, MetricType.PRECISION, MetricType.RECALL, MetricType.F1)
SCALES = st.sampled_from([0.001, 0.01, 0.3, 7.0, 100.0, 1000.0, 1e6])
SEEDS = st.integers(0, 10_000)
KINDS = st.sampled_from(list(MetricType))
PRECISE = 1e-6


def arm(kind: MetricType, seed: int, *, scale: float = 1.0, order: int = 0, better: float = 1.0) -> UnitSums:
    """300 users with some requests each; few have an amount, and some of those amounts are below 1."""
    rng = np.random.default_rng(seed)
    counts = rng.geometric(0.3, 300).astype(np.float64)
    rows = np.random.default_rng(order).permutation(300) if order else np.arange(300)
    if kind is MetricType.PROPORTION:
        return UnitSums.of((rng.random(300) < 0.06 * better)[rows])
    if kind in CLASSIFIERS:
        right, wrong, missed, rest = (rng.binomial(counts.astype(np.int64), p) for p in (0.5, 0.02, 0.03, 0.4))
        cells = (each.astype(np.float64)[rows] for each in (right, wrong, missed, rest))
        return Outcomes(*cells).sums(kind)
    amounts = scale * better * np.where(rng.random(300) < 0.05, rng.lognormal(-1.0, 1.0, 300), 0.0)
    if kind is MetricType.QUANTILE:
        values = scale * better * rng.lognormal(0.0, 1.0, 300)
        return clustered_quantile(values[rows], np.arange(300)[rows], 0.5).as_sums()
    return UnitSums.of(amounts[rows], counts[rows] if kind is MetricType.RATIO else None)


def judged(metric: MetricPlan, control: UnitSums, new: UnitSums) -> MetricResult:
    (result,) = judge(plan(metric), evidence(metric, control, new), looks=PastLooks(last=True)).metrics
    return result


def numbers(result: MetricResult, *, scale: float = 1.0) -> list[float]:
    """All that a result says, in one unit; what it does not say is NaN."""
    in_unit = [result.effect, result.control_value, result.variant_value]
    for interval in (result.interval, result.anytime_interval, result.look_interval):
        in_unit += [interval.low, interval.high] if interval else [None, None]
    pure = [result.relative, result.p_value, result.log_harm, result.information_fraction, result.critical_value]
    pure += [result.relative_interval.low, result.relative_interval.high] if result.relative_interval else [None, None]
    found = [None if each is None else each / scale for each in in_unit] + pure
    return [math.nan if each is None else each for each in found]


def guardrail(kind: MetricType, *, counts_events: bool = False) -> MetricPlan:
    return MetricPlan("metric", kind, Direction.DECREASE, Role.GUARDRAIL, margin=0.1, counts_events=counts_events)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(AMOUNTS), SEEDS, SCALES, st.sampled_from([MarginKind.RELATIVE, MarginKind.ABSOLUTE]))
def test_dollars_and_thousandths_of_them_say_the_same(
    kind: MetricType, seed: int, scale: float, margin_kind: MarginKind
) -> None:
    metric = replace(guardrail(kind), margin_kind=margin_kind)
    scaled = replace(metric, margin=metric.margin * scale) if margin_kind is MarginKind.ABSOLUTE else metric
    plain = judged(metric, arm(kind, seed), arm(kind, seed + 1))
    other = judged(scaled, arm(kind, seed, scale=scale), arm(kind, seed + 1, scale=scale))
    assert numbers(other, scale=scale) == pytest.approx(numbers(plain), rel=PRECISE, abs=1e-9, nan_ok=True)
    assert (other.verdict, other.harmed, bool(other.note)) == (plain.verdict, plain.harmed, bool(plain.note))


@settings(deadline=None, max_examples=60)
@given(KINDS, SEEDS, st.integers(1, 50))
def test_the_order_of_rows_says_nothing(kind: MetricType, seed: int, order: int) -> None:
    metric = guardrail(kind, counts_events=True)
    plain = judged(metric, arm(kind, seed), arm(kind, seed + 1))
    other = judged(metric, arm(kind, seed, order=order), arm(kind, seed + 1, order=order))
    assert numbers(other) == pytest.approx(numbers(plain), rel=PRECISE, abs=1e-9, nan_ok=True)
    assert other.verdict is plain.verdict


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([k for k in MetricType if k is not MetricType.QUANTILE]), SEEDS, st.integers(1, 299))
def test_batches_may_be_split_anywhere(kind: MetricType, seed: int, place: int) -> None:
    rng = np.random.default_rng(seed)
    y: Values = rng.binomial(1, 0.05, 300).astype(np.float64)
    d = np.ones(300) if kind in (MetricType.PROPORTION, MetricType.MEAN) else rng.geometric(0.3, 300).astype(np.float64)
    metric, whole = guardrail(kind, counts_events=True), UnitSums.of(y, d)
    parts = UnitSums.of(y[:place], d[:place]) + UnitSums.of(y[place:], d[place:])
    other = arm(MetricType.RATIO, seed) if kind is MetricType.RATIO else UnitSums.of(y[::-1], d)
    assert numbers(judged(metric, other, parts)) == pytest.approx(
        numbers(judged(metric, other, whole)), rel=PRECISE, abs=1e-9, nan_ok=True
    )


@settings(deadline=None, max_examples=60)
@given(KINDS, SEEDS)
def test_arms_that_change_places_turn_the_effect_around(kind: MetricType, seed: int) -> None:
    """Without a margin: what is shown of one is shown against the other, from the same interval, mirrored."""
    metric = replace(guardrail(kind, counts_events=True), margin=0.0)
    first, second = arm(kind, seed), arm(kind, seed + 1, better=1.5)
    here, there = judged(metric, first, second), judged(metric, second, first)
    assert here.effect is not None
    assert there.effect == pytest.approx(-here.effect)
    assert (here.p_value or 0.0) + (there.p_value or 0.0) == pytest.approx(1.0)
    assert here.interval is not None
    assert there.interval is not None
    assert (there.interval.low, there.interval.high) == pytest.approx((-here.interval.high, -here.interval.low))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([MetricType.MEAN, MetricType.RATIO]), SEEDS)
def test_a_gain_counted_downwards_is_the_same_gain(kind: MetricType, seed: int) -> None:
    up = replace(guardrail(kind), direction=Direction.INCREASE)
    plain = judged(up, arm(kind, seed), arm(kind, seed + 1, better=1.4))
    down = judged(guardrail(kind), arm(kind, seed, scale=-1.0), arm(kind, seed + 1, scale=-1.0, better=1.4))
    assert down.p_value == pytest.approx(plain.p_value, nan_ok=True)
    assert down.log_harm == pytest.approx(plain.log_harm, nan_ok=True)
    assert down.verdict is plain.verdict
    assert down.relative == pytest.approx(-(plain.relative or 0.0))


@pytest.mark.parametrize("kind", list(MetricType))
@pytest.mark.parametrize("better", [0.5, 2.0])
def test_direction_says_which_way_is_harm(kind: MetricType, better: float) -> None:
    """A value that is twice or half of the control's, in 4 000 users each, is harm in one direction alone."""
    rng = np.random.default_rng(8)
    counts = np.full(4000, 3.0)

    def of(rate: float) -> UnitSums:
        y = rng.binomial(3, rate, 4000).astype(np.float64)
        if kind is MetricType.PROPORTION:
            return UnitSums.of(y > 0.0)
        return UnitSums.of(y) if kind in (MetricType.MEAN, MetricType.QUANTILE) else UnitSums.of(y, counts)

    control, new = of(0.2), of(0.2 * better)
    for direction in Direction:
        harmed = judged(replace(guardrail(kind), direction=direction), control, new).harmed
        assert harmed is ((direction is Direction.DECREASE) is (better > 1.0))


def test_a_numerator_that_changes_its_sign_is_halted() -> None:
    """A score from -1 to 1 per request, 0.3 of the control and -0.3 of the candidate, 5 000 users each."""
    rng = np.random.default_rng(9)
    counts = rng.geometric(0.3, 5000).astype(np.float64)
    score = MetricPlan("score", MetricType.RATIO, Direction.INCREASE, Role.GUARDRAIL, margin=0.1)
    arms = [UnitSums.of(np.clip(rng.normal(mean, 0.5, 5000), -1.0, 1.0) * counts, counts) for mean in (0.3, -0.3)]
    harm = judge(plan(score), evidence(score, arms[0], arms[1]))
    assert harm.halt.blamed == (("score", "new"),)
    gain = judge(plan(score), evidence(score, arms[1], arms[0]))
    assert not gain.halt.reached
