"""Probabilities as a second reading, caps taken once, and discoveries among many metrics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.adjust.capping import capped, frozen_cap, share_capped
from experiments.stats.core.bayes import Prior, chance_to_beat, posterior
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.multiplicity import benjamini_hochberg, e_benjamini_hochberg, holm

pytestmark = pytest.mark.slow


def test_a_strong_prior_pulls_and_a_flat_one_does_not() -> None:
    flat, sceptic = posterior(0.1, 0.05), posterior(0.1, 0.05, Prior(0.0, 0.0025))
    assert flat.mean == 0.1
    assert sceptic.mean == pytest.approx(0.05)
    assert sceptic.chance_to_beat < flat.chance_to_beat


def test_losses_differ_by_the_effect() -> None:
    reading = posterior(0.3, 0.2)
    assert reading.loss_of_control - reading.loss_of_candidate == pytest.approx(0.3)
    draws = np.random.default_rng(1).normal(0.3, 0.2, 400_000)
    assert reading.loss_of_candidate == pytest.approx(np.maximum(-draws, 0).mean(), abs=0.0005)


def test_shares_are_compared_as_by_drawing() -> None:
    rng = np.random.default_rng(2)
    drawn = np.mean(rng.beta(12, 90, 400_000) > rng.beta(8, 94, 400_000))
    assert chance_to_beat(12, 90, 8, 94) == pytest.approx(drawn, abs=0.004)
    assert chance_to_beat(1, 1, 1, 1) == pytest.approx(0.5)
    assert chance_to_beat(50_000, 1, 1, 50_000) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("candidate", "control", "chance"),
    [
        # Jeffreys' prior has poles at both ends.
        ((0.5, 0.5), (0.5, 0.5), 0.5),
        ((0.5, 10.5), (0.5, 10.5), 0.5),
        # A control known almost exactly to be one half, but for the curvature of Beta(2, 3): 3 · variance / 2.
        ((2, 3), (5e6, 5e6), 0.3125 + 1.5 / 4 / (1e7 + 1)),
        ((5e6, 5e6), (2, 3), 0.6875 - 1.5 / 4 / (1e7 + 1)),
        # B(a + 1, b) / B(a, b) = a / (a + b) against a uniform share.
        ((7, 4), (1, 1), 7 / 11),
        ((1, 1), (7, 4), 4 / 11),
        ((1e9, 1e9), (1e9, 1e9), 0.5),
    ],
)
def test_the_chance_to_beat_is_exact_for_few_and_for_many(
    candidate: tuple[float, float], control: tuple[float, float], chance: float
) -> None:
    assert chance_to_beat(*candidate, *control) == pytest.approx(chance, abs=1e-9)


COUNTS = st.floats(0.5, 1e6)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
@settings(max_examples=50)
def test_one_of_both_is_better(successes_t: float, failures_t: float, successes_c: float, failures_c: float) -> None:
    candidate, control = (successes_t, failures_t), (successes_c, failures_c)
    there, back = chance_to_beat(*candidate, *control), chance_to_beat(*control, *candidate)
    assert 0.0 <= there <= 1.0
    assert there + back == pytest.approx(1.0, abs=1e-7)


POSITIVE = st.floats(1e-150, 1e150)


@given(st.floats(-1e300, 1e300), POSITIVE, st.floats(-1e300, 1e300), POSITIVE)
def test_any_estimate_and_prior_have_a_posterior(effect: float, error: float, mean: float, variance: float) -> None:
    reading = posterior(effect, error, Prior(mean, variance))
    slack = 1e-12 * max(abs(effect), abs(mean))
    assert min(effect, mean) - slack <= reading.mean <= max(effect, mean) + slack
    assert 0.0 <= reading.chance_to_beat <= 1.0
    assert reading.loss_of_candidate >= 0.0
    assert reading.loss_of_control >= 0.0
    assert reading.standard_deviation <= error * (1 + 1e-12)


def test_a_posterior_chance_looked_at_all_the_time_has_no_error_rate() -> None:
    """Why it never judges: without any effect, most runs reach 95 % for either side if one only waits."""
    rng = np.random.default_rng(3)
    sums = rng.normal(0, 1, (400, 1000)).cumsum(axis=1)
    z = np.abs(sums) / np.sqrt(np.arange(1, 1001))
    likely = [posterior(float(z_max), 1.0).chance_to_beat > 0.95 for z_max in z[:, 10:].max(axis=1)]
    assert np.mean(likely) > 0.5


def test_a_cap_of_the_past_tames_the_tail_in_both_arms_alike() -> None:
    rng = np.random.default_rng(4)
    past, arms = rng.lognormal(0, 2, 20_000), rng.lognormal(0, 2, (2, 500))
    cap = frozen_cap(past, level=0.995)
    assert share_capped(past, cap) == pytest.approx(0.005, abs=1e-4)
    assert capped(arms, cap).var() < 0.5 * arms.var()
    assert share_capped([], cap) == 0.0


TOTALS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 9)), min_size=1, max_size=30)


@given(TOTALS, st.sampled_from([0.1, 0.25, 0.5, 0.9, 0.99, 1.0]))
def test_a_histogram_gives_the_cap_of_its_values(bins: list[tuple[float, int]], level: float) -> None:
    edges, counts = [edge for edge, _ in bins], [count for _, count in bins]
    values = np.repeat(edges, counts)
    if not values.size:
        with pytest.raises(StatisticsError):
            frozen_cap(edges, counts=counts, level=level)
        return
    cap = frozen_cap(edges, counts=counts, level=level)
    assert cap == frozen_cap(values, level=level)
    assert share_capped(values, cap) <= 1.0 - level + 1e-12
    assert set(capped(values, cap)) <= set(edges)


def test_e_values_find_few_where_there_is_nothing() -> None:
    """Twenty e-values of nothing, all moving together: at 5 % a discovery is made in one of 20 runs at the most."""
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 1, (2000, 1))
    log_e = 2.0 * np.repeat(shared, 20, axis=1) - 2.0
    false = np.mean([e_benjamini_hochberg(run, 0.05).any() for run in log_e])
    assert false <= 0.05
    assert not e_benjamini_hochberg([-1.0, -2.0], 0.05).any()
    assert e_benjamini_hochberg([9.0, -2.0], 0.05).tolist() == [True, False]


def test_nothing_adjusted_is_nothing() -> None:
    for adjusted in (holm([]), benjamini_hochberg([]), e_benjamini_hochberg([], 0.05)):
        assert adjusted.shape == (0,)


def test_one_e_value_of_infinity_is_a_discovery() -> None:
    assert e_benjamini_hochberg([math.inf, -math.inf, 0.0], 0.05).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: posterior(math.nan, 1.0), "effect-range"),
        (lambda: posterior(0.1, 0.0), "effect-range"),
        (lambda: posterior(0.1, 0.1, Prior(0.0, 0.0)), "prior-range"),
        (lambda: posterior(0.1, 0.1, Prior(math.nan, 1.0)), "prior-range"),
        (lambda: posterior(0.1, 0.1, alpha=0.0), "alpha-range"),
        (lambda: chance_to_beat(0, 1, 1, 1), "counts-range"),
        (lambda: chance_to_beat(1, 1, -3, 1), "counts-range"),
        (lambda: chance_to_beat(1, math.inf, 1, 1), "counts-range"),
        (lambda: frozen_cap([]), "totals-none"),
        (lambda: frozen_cap([1.0, math.inf]), "totals-not-finite"),
        (lambda: frozen_cap([1.0], level=0.0), "level-range"),
        (lambda: frozen_cap([1.0, 2.0], counts=[1, -1]), "counts-invalid"),
        (lambda: frozen_cap([1.0, 2.0], counts=[1]), "counts-invalid"),
        (lambda: frozen_cap([1.0, 2.0], counts=[0, 0]), "totals-none"),
        (lambda: capped([1.0], math.nan), "cap-range"),
        (lambda: capped([math.nan], 1.0), "totals-not-finite"),
        (lambda: share_capped([math.nan], 1.0), "totals-not-finite"),
        (lambda: holm([0.1, math.nan]), "p-values-range"),
        (lambda: holm([1.5]), "p-values-range"),
        (lambda: benjamini_hochberg([0.1, math.nan]), "p-values-range"),
        (lambda: benjamini_hochberg([-0.1]), "p-values-range"),
        (lambda: e_benjamini_hochberg([1.0, math.nan], 0.05), "e-values-none"),
        (lambda: e_benjamini_hochberg([1.0], 0.0), "alpha-range"),
    ],
)
def test_nonsense_has_a_name(call: object, code: str) -> None:
    assert callable(call)
    with pytest.raises(StatisticsError) as error:
        call()
    assert error.value.code == code
