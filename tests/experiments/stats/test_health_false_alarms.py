"""Checks that may be looked at any time raise no more false alarms than promised, and still see what is wrong."""

import math

import numpy as np
import pytest

from experiments.stats.core.columns import SumsColumns
from experiments.stats.health.imbalance import imbalance_findings, imbalances
from experiments.stats.health.missing import gap_log_e
from experiments.stats.health.shares import Stage, ratio_findings, segment_findings
from tests.experiments.stats.samples import Values, sums

pytestmark = pytest.mark.slow

ALPHA = 0.05
LOOKS = 25
HALVES = {"control": 0.5, "new": 0.5}


def limit(runs: int, alpha: float = ALPHA) -> float:
    """Alpha and four standard errors of the simulation."""
    return alpha + 4.0 * math.sqrt(alpha * (1.0 - alpha) / runs)


def arrivals(rng: np.random.Generator, runs: int, probability: float) -> Values:
    """Units of the new arm by (run, look), cumulative; 200 units arrive between looks."""
    return rng.binomial(200, probability, (runs, LOOKS)).cumsum(axis=1)


def mismatch_ever(rng: np.random.Generator, runs: int, probability: float) -> float:
    """Share of runs with a finding at any look, where the share goes from 5 % to 50 % half-way."""
    early, late = arrivals(rng, runs, 0.05 * probability / 0.5), arrivals(rng, runs, probability)
    shares = {"control": 0.95, "new": 0.05}
    alarms = 0
    for run in range(runs):
        first = [Stage("5 %", shares, {"control": 200 * k - n, "new": n}) for k, n in enumerate(early[run], 1)]
        then = [Stage("50 %", HALVES, {"control": 200 * k - n, "new": n}) for k, n in enumerate(late[run], 1)]
        looks = [*((stage,) for stage in first), *((first[-1], stage) for stage in then)]
        alarms += any(True for look in looks for _ in ratio_findings(look, alpha=ALPHA))
    return alarms / runs


def test_sample_ratio_over_stages_keeps_alpha_at_repeated_looks() -> None:
    runs = 150
    assert mismatch_ever(np.random.default_rng(1), runs, 0.5) <= limit(runs)


def test_sample_ratio_over_stages_sees_a_shift() -> None:
    assert mismatch_ever(np.random.default_rng(2), 60, 0.44) > 0.9


def test_the_worst_of_sixty_segments_keeps_alpha_at_repeated_looks() -> None:
    runs, rng = 40, np.random.default_rng(3)
    alarms = 0
    for _ in range(runs):
        units = arrivals(rng, 60, 0.5)
        looks = (
            Stage("50 %", HALVES, {}, {("os", str(s)): {"control": 200 * (k + 1) - n, "new": n} for s, n in row})
            for k, row in ((k, list(enumerate(units[:, k].tolist()))) for k in range(LOOKS))
        )
        alarms += any(True for stage in looks for _ in segment_findings([stage], alpha=ALPHA))
    assert alarms / runs <= limit(runs)


def outcome_sums(rng: np.random.Generator, runs: int, rate: float, units: int) -> SumsColumns:
    """Requests with an outcome of units of one arm by (run, look); a unit's requests are lost together more often."""
    shape = (runs, LOOKS, units)
    requests = rng.geometric(0.25, shape)
    own_rate = rng.beta(5.0 * rate, 5.0 * (1.0 - rate), shape)
    y, d = rng.binomial(requests, own_rate).astype(np.float64), requests.astype(np.float64)
    parts = (np.ones(shape), y, d, y * y, d * d, y * d)
    return SumsColumns(*(part.sum(axis=-1).cumsum(axis=-1) for part in parts))


@pytest.mark.parametrize("units", [20, 40])
def test_missing_outcomes_keep_alpha_at_repeated_looks(units: int) -> None:
    """Clustered requests, 25 looks, both with equal arms and with a smaller new arm."""
    runs, rng = 800, np.random.default_rng(units)
    new, control = outcome_sums(rng, runs, 0.95, units), outcome_sums(rng, runs, 0.95, 40)
    log_e, _ = gap_log_e(new, control, spread=0.02)
    assert np.mean(np.any(log_e >= -math.log(ALPHA), axis=1)) <= limit(runs)


def test_a_single_look_at_missing_outcomes_repeated_would_break_alpha() -> None:
    """Why the e-value decides: the p-value of one look, looked at 25 times, raises several times alpha."""
    runs, rng = 800, np.random.default_rng(7)
    _, p_values = gap_log_e(outcome_sums(rng, runs, 0.95, 40), outcome_sums(rng, runs, 0.95, 40))
    assert np.mean(np.any(p_values <= ALPHA, axis=1)) > 2.0 * ALPHA


def test_missing_outcomes_see_a_lossy_arm() -> None:
    rng = np.random.default_rng(8)
    log_e, _ = gap_log_e(outcome_sums(rng, 100, 0.91, 100), outcome_sums(rng, 100, 0.95, 100))
    assert np.mean(np.any(log_e >= -math.log(ALPHA), axis=1)) > 0.9


def test_imbalance_before_exposure_keeps_alpha_over_all_looks_and_metrics() -> None:
    runs, rng = 300, np.random.default_rng(10)
    alarms = 0
    for _ in range(runs):
        values = rng.lognormal(0.0, 1.0, (3, 2, 2000))
        alarms += any(
            list(
                imbalance_findings(
                    {
                        str(m): dict(zip(HALVES, map(sums, arms[:, :users]), strict=True))
                        for m, arms in enumerate(values)
                    },
                    "control",
                    alpha=ALPHA,
                )
            )
            for users in range(100, 2001, 100)
        )
    assert alarms / runs <= limit(runs)


def test_imbalance_before_exposure_keeps_alpha_over_metrics() -> None:
    runs, rng = 400, np.random.default_rng(9)
    alarms = 0
    for _ in range(runs):
        before = {str(m): {arm: sums(rng.lognormal(0.0, 1.0, 200)) for arm in HALVES} for m in range(5)}
        alarms += any(found.adjusted_p_value <= ALPHA for found in imbalances(before, "control"))
    assert alarms / runs <= limit(runs)
