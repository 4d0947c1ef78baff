"""Every row of GrowthBook's, PostHog's and Flagsmith's own tests, read in place.

The estimates, errors and variances are ours; the symmetric interval of a lift and the tuning by users are theirs, and
written down among the peers.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from experiments.stats.core.bayes import Prior, posterior
from experiments.stats.sequential import anytime
from tests.experiments.stats import covariate_peers, peers
from tests.experiments.stats.references import Inputs, shared
from tests.experiments.stats.test_anytime_references import approximate_ratio

ROWS = 27
ALPHA = 0.05


def effect_of(control: Inputs, treatment: Inputs, *, relative: bool) -> peers.Effect:
    kind = control["type"]
    if kind == "mean_cuped":
        return covariate_peers.lift(*(covariate_peers.moments_of_mean(side) for side in (control, treatment)))
    if kind == "ratio_cuped":
        return covariate_peers.lift(*(covariate_peers.moments_of_ratio(side) for side in (control, treatment)))
    return peers.effect(peers.arm(control), peers.arm(treatment), relative=relative)


def fixed(effect: peers.Effect, _config: Inputs, _units: int, side: str) -> dict[str, Any]:
    z = effect.estimate / effect.error
    upper = float(special.stdtr(effect.degrees, -z))
    if side == "two":
        half = float(special.stdtrit(effect.degrees, 1 - ALPHA / 2)) * effect.error
        return {"p": 2 * min(upper, 1 - upper), "ci": [effect.estimate - half, effect.estimate + half]}
    half = float(special.stdtrit(effect.degrees, 1 - ALPHA)) * effect.error
    if side == "greater":
        return {"p": upper, "ci": [effect.estimate - half, math.inf]}
    return {"p": 1 - upper, "ci": [-math.inf, effect.estimate + half]}


def sequential(effect: peers.Effect, config: Inputs, units: int, side: str) -> dict[str, Any]:
    tuned = config.get("sequential_tuning_parameter", 5000)
    if side == "two":
        ratio = units * approximate_ratio(ALPHA) / tuned
        half = float(anytime.two_sided_critical([ratio], ALPHA)) * effect.error
        log_e = max(float(anytime.two_sided_log_e(effect.estimate / effect.error, ratio)), 0.0)
        return {"p": math.exp(-log_e), "ci": [effect.estimate - half, effect.estimate + half]}
    ratio = units * approximate_ratio(2 * ALPHA) / tuned
    half = float(anytime.one_sided_bound(ratio, ALPHA)) * effect.error
    if side == "greater":
        return {"ci": [effect.estimate - half, math.inf]}
    return {"ci": [-math.inf, effect.estimate + half]}


def second_reading(effect: peers.Effect, config: Inputs, _units: int, _side: str) -> dict[str, Any]:
    held = config.get("prior", {})
    # They state priors relative to the control, and turn them into the metric's unit.
    size = config["control_value"] if config.get("difference_type") == "absolute" else 1.0
    prior = Prior(held.get("mean", 0.0) * size, held["variance"] * size**2) if held.get("proper") else None
    reading = posterior(effect.estimate, effect.error, prior)
    return {
        "expected": reading.mean,
        "stddev": reading.standard_deviation,
        "ci": [reading.interval.low, reading.interval.high],
        "chance_to_win": reading.chance_to_beat,
        "risk": [reading.loss_of_control, reading.loss_of_candidate],
    }


TESTS: dict[str, Callable[[peers.Effect, Inputs, int, str], dict[str, Any]]] = {
    "ttest": fixed,
    "seq": sequential,
    "bayes": second_reading,
}


@pytest.mark.parametrize("row", range(ROWS))
def test_agrees_with_growthbook(row: int) -> None:
    cases = shared("gbstats_handwritten")["cases"]
    assert len(cases) == ROWS
    case = cases[row]
    control, treatment, config = case["a_control"], case["b_treatment"], case["config"]
    effect = effect_of(control, treatment, relative=config.get("difference_type", "relative") == "relative")
    test, _, side = case["test"].partition("_")
    got = {"expected": effect.estimate, "stddev": effect.error}
    config = {**config, "control_value": control.get("q", 1.0)}
    got |= TESTS[test](effect, config, control["n"] + treatment["n"], side)
    for name, expected in case["full_precision"].items():
        if name not in got:
            # One-sided p-values at any time are found by search in GrowthBook, to four digits; ours are e-values.
            assert (name, test) == ("p", "seq")
            continue
        wanted = [float(each) for each in np.atleast_1d(np.array(expected, dtype=object))]
        np.testing.assert_allclose(np.atleast_1d(got[name]), wanted, rtol=1e-6, atol=1e-12, err_msg=case["name"])
