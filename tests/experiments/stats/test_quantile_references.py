"""Quantiles against independent derivations, GrowthBook, confseq and scipy."""

import numpy as np
import pytest
from scipy import special

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import linear_contrast
from experiments.stats.metrics import ratio
from experiments.stats.metrics.quantiles import clustered_quantile, exceedance, residual_variance, unit_residuals
from tests.experiments.stats import quantile_peers
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references


def requests_of(arm: str) -> tuple[list[float], list[int]]:
    rows = [row for row in data()["requests"] if row["arm"] == arm]
    return [row["latency_ms"] for row in rows], [row["user"] for row in rows]


def outer_interval(inputs: Inputs) -> Ours:
    values, units = requests_of(inputs["arm"])
    found = clustered_quantile(values, units, inputs["q"], alpha=inputs["alpha"], normal_limit=True)
    codes = np.unique(units, return_inverse=True)[1]
    residuals = unit_residuals(np.array(values), codes, inputs["q"], found.value)
    return {
        "qhat": found.value,
        "se": found.standard_error,
        "lo": found.low,
        "hi": found.high,
        "deff": found.design_effect,
        "var_cdf": residual_variance(residuals, len(values)),
    }


def share_above(inputs: Inputs) -> Ours:
    arms = [
        ratio.estimate(SumsColumns.of([exceedance(*requests_of(arm), inputs["threshold"])]))
        for arm in ("treatment", "control")
    ]
    contrast = linear_contrast(*arms)
    return {
        "p_t": arms[0].value[0],
        "p_c": arms[1].value[0],
        "diff": contrast.difference[0],
        "se": contrast.standard_error[0],
        "z": contrast.z[0],
    }


def growthbook_arm(inputs: Inputs) -> Ours:
    return quantile_peers.growthbook_quantile(*requests_of(inputs["arm"]), inputs["q"], inputs["alpha"])


def growthbook_test(inputs: Inputs) -> Ours:
    arms = [
        quantile_peers.growthbook_quantile(*requests_of(arm), inputs["q"], inputs["alpha"])
        for arm in ("treatment", "control")
    ]
    difference = arms[0]["qhat"] - arms[1]["qhat"]
    error = np.sqrt(arms[0]["var_mean"] + arms[1]["var_mean"])
    # Their degrees of freedom count requests.
    count = [len(requests_of(arm)[0]) for arm in ("treatment", "control")]
    return quantile_peers.welch(difference, error, [arm["var_mean"] for arm in arms], count, inputs["alpha"])


@pytest.mark.parametrize("case", references("quantile"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "q0.5.outerci": outer_interval,
            "q0.9.outerci": outer_interval,
            "q0.5": growthbook_arm,
            "q0.9": growthbook_arm,
            "q0.5.test": growthbook_test,
            "q.binom": lambda inputs: quantile_peers.binomial(requests_of("control")[0], inputs),
            "q.ab": lambda inputs: quantile_peers.howard_ramdas(
                requests_of("control")[0], requests_of("treatment")[0], inputs
            ),
            "q.lil": quantile_peers.uniform_band,
            "q.exceedance": share_above,
        },
    )


def test_the_normal_deviate_of_the_interval_is_the_usual_one() -> None:
    values = np.arange(10_000.0)
    found = clustered_quantile(values, values, 0.5, normal_limit=True)
    assert (found.high - found.low) / found.standard_error == pytest.approx(-2 * special.ndtri(0.025))
