"""Probabilities as a second reading, caps taken once, and discoveries among many metrics."""

import math

import numpy as np
import pytest

from experiments.stats.bayes import Prior, chance_to_beat, posterior
from experiments.stats.capping import capped, frozen_cap, share_capped
from experiments.stats.errors import StatisticsError
from experiments.stats.multiplicity import discoveries


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


def test_e_values_find_few_where_there_is_nothing() -> None:
    """Twenty e-values of nothing, all moving together: at 5 % a discovery is made in one of 20 runs at the most."""
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 1, (2000, 1))
    log_e = 2.0 * np.repeat(shared, 20, axis=1) - 2.0
    false = np.mean([discoveries(run, 0.05).any() for run in log_e])
    assert false <= 0.05
    assert not discoveries([-1.0, -2.0], 0.05).any()
    assert discoveries([9.0, -2.0], 0.05).tolist() == [True, False]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: posterior(math.nan, 1.0), "effect-range"),
        (lambda: posterior(0.1, 0.0), "effect-range"),
        (lambda: posterior(0.1, 0.1, Prior(0.0, 0.0)), "prior-variance"),
        (lambda: posterior(0.1, 0.1, alpha=0.0), "alpha-range"),
        (lambda: chance_to_beat(0, 1, 1, 1), "counts-range"),
        (lambda: frozen_cap([]), "totals-none"),
        (lambda: frozen_cap([1.0, math.inf]), "totals-not-finite"),
        (lambda: frozen_cap([1.0], level=0.0), "level-range"),
    ],
)
def test_nonsense_has_a_name(call: object, code: str) -> None:
    assert callable(call)
    with pytest.raises(StatisticsError) as error:
        call()
    assert error.value.code == code
