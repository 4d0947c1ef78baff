"""Distances and tests of drift against scipy's figures and independent ones, and the trend against statsmodels."""

import numpy as np
import pytest

from experiments.stats.core.types import UnitSums
from experiments.stats.drift import trend
from experiments.stats.drift.distances import critical_stability_index, distances, jensen_shannon
from experiments.stats.drift.report import compared
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references
from tests.experiments.stats.samples import Values, share


def shares(inputs: Inputs) -> Ours:
    apart = distances(inputs["expected"], inputs["actual"])
    return {
        "psi": apart.stability_index,
        "kl_actual_expected": apart.divergence_from_reference,
        "kl_expected_actual": apart.divergence_from_present,
        "js_distance_nats": apart.jensen_shannon,
        "js_distance_base2": float(jensen_shannon(inputs["expected"], inputs["actual"], base=2)),
    }


def critical(inputs: Inputs) -> Ours:
    return {"critical": critical_stability_index(inputs["bins"], inputs["n"], inputs["m"], alpha=inputs["alpha"])}


def latencies(arm: str) -> Values:
    return np.array(
        [row["latency_ms"] for row in data()["requests"] if (row["arm"] == "control") == (arm == "control")]
    )


def values(inputs: Inputs) -> Ours:
    found = compared(latencies("control"), latencies("treatment") * inputs.get("mult", 1.0))
    assert found is not None
    return {"D": found.kolmogorov_smirnov, "p": found.p_value, "wasserstein": found.wasserstein}


@pytest.mark.parametrize("case", references("drift"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(case, {"drift.psi": shares, "drift.psi.crit": critical, "drift.ks": values})


def test_a_trend_of_scattered_windows_agrees_with_statsmodels() -> None:
    from statsmodels.api import WLS, add_constant

    accuracies, units, days = [0.95, 0.85, 0.93, 0.80, 0.70], [900, 500, 700, 800, 300], np.array([0.0, 1, 2, 3, 5])
    windows = [share(n, round(n * p)) for n, p in zip(units, accuracies, strict=True)]
    rates = np.array([window.sum_y / window.sum_d for window in windows])
    weights = (np.array(units) - 1) / (rates * (1 - rates))
    fit = WLS(rates, add_constant(days), weights=weights).fit()
    assert fit.scale > 1.0
    found = trend(windows, days)
    assert found.interval is not None
    assert found.slope == pytest.approx(fit.params[1], rel=1e-9)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(fit.conf_int()[1]), rel=1e-9)


def test_a_trend_without_scatter_has_the_error_of_its_units() -> None:
    """On a straight line residuals are 0, and would say that the slope is certain; its units say how certain."""
    windows = [UnitSums(1000, y, 1000, y, 1000, y) for y in (500, 490, 480, 470)]
    found = trend(windows, [0, 1, 2, 3])
    assert found.slope == pytest.approx(-0.01)
    assert found.interval is not None
    assert found.interval.low < -0.03 < 0.01 < found.interval.high
