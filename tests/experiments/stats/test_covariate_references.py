"""CUPED, caps, ratios and clusters against R, statsmodels, GrowthBook and tea-tasting."""

import math

import numpy as np
import pytest
from scipy import special

from experiments.stats.adjust.capping import capped, frozen_cap
from experiments.stats.adjust.covariate import CovariateSums, adjust, regression
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import linear_contrast, lower_tail, two_sided_critical
from experiments.stats.core.types import UnitSums
from experiments.stats.metrics import mean, ratio
from tests.experiments.stats import covariate_peers, peers
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references


def users(arm: str, name: str) -> list[float]:
    return [user[name] for user in data()["users"] if user["arm"] == arm]


def analysis_of_covariance(inputs: Inputs) -> Ours:
    assert inputs["dataset"] == "users"
    rows = data()["users"]
    found = regression(
        [row["y"] for row in rows],
        [row["arm"] == "treatment" for row in rows],
        [[row["pre"] for row in rows]],
        interactions=False,
    )
    sums = [CovariateSums.of(users(arm, "y"), users(arm, "pre")) for arm in ("treatment", "control")]
    both = adjust(*sums)
    contrast = linear_contrast(both.candidate, both.control)
    assert contrast.difference[0] == pytest.approx(found.effect)
    return {
        "est": contrast.difference[0],
        "theta": both.theta,
        "se": found.classical_standard_error,
        "se_hc2": found.standard_error,
    }


def growthbook(inputs: Inputs) -> Ours:
    control, treatment = (
        covariate_peers.moments(users(arm, inputs["y"]), users(arm, inputs["x"])) for arm in ("control", "treatment")
    )
    return covariate_peers.absolute(control, treatment, inputs["alpha"])


def winsorised(inputs: Inputs) -> Ours:
    assert frozen_cap(inputs["x"], level=0.9) == inputs["cap"]
    arm = mean.estimate(SumsColumns.of([UnitSums.of(capped(inputs["x"], inputs["cap"]))]))
    return {"mean": arm.value[0], "var": arm.variance[0]}


@pytest.mark.parametrize("case", references("cuped"))
def test_adjusting_agrees_with_the_reference(case: Reference) -> None:
    compare(case, {"cuped.ancova": analysis_of_covariance, "cuped.gb": growthbook, "winsor": winsorised})


def ratio_of_sums(inputs: Inputs) -> Ours:
    columns = (inputs[name] for name in ("n", "sum_m", "sum_d", "ss_m", "ss_d", "s_md"))
    arm = ratio.estimate(SumsColumns.of([UnitSums(*columns)]))
    return {"mean": arm.value[0], "var_unit": arm.variance[0]}


def ratio_arms(inputs: Inputs) -> list[UnitSums]:
    return [
        UnitSums.of(users(arm, inputs["numerator"]), users(arm, inputs["denominator"]))
        for arm in ("treatment", "control")
    ]


def absolute(inputs: Inputs) -> Ours:
    contrast = linear_contrast(*(ratio.estimate(SumsColumns.of([sums])) for sums in ratio_arms(inputs)))
    half = two_sided_critical(contrast.degrees, inputs["alpha"]) * contrast.standard_error
    return {
        "est": contrast.difference,
        "se": contrast.standard_error,
        "p": 2 * np.minimum(lower_tail(contrast), 1 - lower_tail(contrast)),
        "ci_lo": contrast.difference - half,
        "ci_hi": contrast.difference + half,
    }


def relative(inputs: Inputs) -> Ours:
    """GrowthBook's symmetric interval of the lift; ours is Fieller's."""
    arms = [ratio.estimate(SumsColumns.of([sums])) for sums in ratio_arms(inputs)]
    treatment, control = ((float(a.units[0]), float(a.value[0]), float(a.variance[0])) for a in arms)
    return peers.relative_delta(control, treatment, inputs["alpha"])


def log_relative(inputs: Inputs) -> Ours:
    """tea-tasting's interval, symmetric on the log scale; its p-value is that of the absolute difference."""
    arms = [ratio.estimate(SumsColumns.of([sums])) for sums in ratio_arms(inputs)]
    treatment, control = ((float(a.units[0]), float(a.value[0]), float(a.variance[0])) for a in arms)
    parts = [variance / n / value**2 for n, value, variance in (treatment, control)]
    spread = sum(part**2 / (arm[0] - 1) for part, arm in zip(parts, (treatment, control), strict=True))
    critical = float(special.stdtrit(sum(parts) ** 2 / spread, 1 - inputs["alpha"] / 2))
    rise, half = math.log(treatment[1] / control[1]), critical * math.sqrt(sum(parts))
    return {
        "rel": math.expm1(rise),
        "lo": math.expm1(rise - half),
        "hi": math.expm1(rise + half),
        "p": absolute(inputs)["p"],
    }


def clustered(inputs: Inputs) -> Ours:
    rows = data()["requests"]
    arms = {arm: [row for row in rows if row["arm"] == arm] for arm in ("treatment", "control")}
    sums = []
    for requests in arms.values():
        codes = np.unique([row["user"] for row in requests], return_inverse=True)[1]
        sums.append(UnitSums.of(np.bincount(codes, weights=[row[inputs["y"]] for row in requests]), np.bincount(codes)))
    estimates = [ratio.estimate(SumsColumns.of([each])) for each in sums]
    contrast = linear_contrast(*estimates)
    # Regression divides by all K clusters where the delta method divides by K - 1 of each arm.
    uncorrected = math.sqrt(sum(float(a.variance[0]) * (a.units[0] - 1) / a.units[0] ** 2 for a in estimates))
    clusters, count = sum(a.units[0] for a in estimates), len(rows)
    corrected = uncorrected * math.sqrt(clusters / (clusters - 1) * (count - 1) / (count - 2))
    residuals = [np.array([row[inputs["y"]] for row in requests]) for requests in arms.values()]
    pooled = sum(((each - each.mean()) ** 2).sum() for each in residuals) / (count - 2)
    return {
        "est": contrast.difference,
        "se_cluster_CR0": uncorrected,
        "se_cluster_CR1": corrected,
        "se_iid": math.sqrt(pooled * sum(1 / each.size for each in residuals)),
    }


@pytest.mark.parametrize("case", references("ratio_cluster"))
def test_ratios_agree_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "ratio.err.": ratio_of_sums,
            "ratio.lat.": ratio_of_sums,
            "ratio.err.test.absolute": absolute,
            "ratio.lat.test.absolute": absolute,
            "ratio.err.test.relative": relative,
            "ratio.lat.test.relative": relative,
            "ratio.lat.tt": log_relative,
            "cluster": clustered,
        },
    )
