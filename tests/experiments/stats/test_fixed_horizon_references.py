"""Welch, Fieller, non-inferiority and two proportions against R, statsmodels, gbstats and independent derivations."""

import math

import numpy as np
import pytest
from scipy import special

from experiments.stats.core.columns import Estimates
from experiments.stats.core.contrast import Contrast, linear_contrast, lower_tail, two_sided_critical
from experiments.stats.core.equivalence import equivalence_p_value
from experiments.stats.core.fieller import relative_interval
from experiments.stats.core.score import difference_interval, ratio_interval
from tests.experiments.stats import peers
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references

Z = float(special.ndtri(0.975))


def arm(units: float, value: float, variance: float) -> Estimates:
    one = np.ones(1)
    return Estimates(units * one, value * one, variance * one, (units - 1) * one)


def share(units: float, events: float) -> Estimates:
    p = events / units
    return arm(units, p, p * (1 - p))


def two_sided(contrast: Contrast, alpha: float) -> Ours:
    half = two_sided_critical(contrast.degrees, alpha) * contrast.standard_error
    p_value = 2 * np.minimum(lower_tail(contrast), 1 - lower_tail(contrast))
    return {
        "diff": contrast.difference,
        "est": contrast.difference,
        "se": contrast.standard_error,
        "t": contrast.z,
        "df": contrast.degrees,
        "p": p_value,
        "ci_lo": contrast.difference - half,
        "ci_hi": contrast.difference + half,
    }


def welch(inputs: Inputs) -> Ours:
    arms = [arm(side["n"], side["mean"], side["var"]) for side in (inputs["treatment"], inputs["control"])]
    contrast = linear_contrast(*arms)
    if inputs.get("alternative") == "greater":
        low = contrast.difference - two_sided_critical(contrast.degrees, 0.1) * contrast.standard_error
        return {"p": 1 - lower_tail(contrast), "ci_lo": low}
    return two_sided(contrast, inputs["alpha"])


def proportions_as_means(inputs: Inputs) -> Ours:
    arms = [share(side["n"], side["sum"]) for side in (inputs["treatment"], inputs["control"])]
    return two_sided(linear_contrast(*arms), inputs["alpha"])


def pooled_z(inputs: Inputs) -> Ours:
    pooled = (inputs["x1"] + inputs["x0"]) / (inputs["n1"] + inputs["n0"])
    arms = [
        arm(inputs[f"n{side}"], inputs[f"x{side}"] / inputs[f"n{side}"], pooled * (1 - pooled)) for side in ("1", "0")
    ]
    z = linear_contrast(*arms).z
    return {"z": z, "p": 2 * special.ndtr(-np.abs(z))}


def shares(inputs: Inputs) -> tuple[float, float, float, float]:
    return inputs["x1"] / inputs["n1"], inputs["n1"], inputs["x0"] / inputs["n0"], inputs["n0"]


def score_difference(inputs: Inputs) -> Ours:
    low, high = difference_interval(*shares(inputs), Z)
    return {"lo": low, "hi": high}


def score_ratio(inputs: Inputs) -> Ours:
    low, high = ratio_interval(*shares(inputs), Z)
    return {"lo": low, "hi": high}


def wald(inputs: Inputs) -> Ours:
    contrast = linear_contrast(share(inputs["n1"], inputs["x1"]), share(inputs["n0"], inputs["x0"]))
    half = Z * contrast.standard_error
    return {"lo": contrast.difference - half, "hi": contrast.difference + half}


def fieller(inputs: Inputs) -> Ours:
    arms = [arm(inputs[f"n{side}"], inputs[f"m{side}"], inputs[f"v{side}"]) for side in ("1", "0")]
    low, high = relative_interval(arms[0], arms[1], np.array([Z]))
    return {"lo": low, "hi": high}


def linear_margin(inputs: Inputs) -> Ours:
    arms = [arm(inputs[f"n{side}"], inputs[f"m{side}"], inputs[f"v{side}"]) for side in ("1", "0")]
    contrast = linear_contrast(*arms, factor=1 - inputs["margin_rel"])
    z = contrast.z
    return {"est": contrast.difference, "se": contrast.standard_error, "z": z, "p": special.ndtr(-z)}


def wald_margin(inputs: Inputs) -> Ours:
    arms = share(inputs["n1"], inputs["x1"]), share(inputs["n0"], inputs["x0"])
    z = linear_contrast(*arms, shift=inputs["margin"]).z
    return {"stat": z, "p": special.ndtr(z)}


def equivalence(inputs: Inputs) -> Ours:
    if "dataset" in inputs:
        users = data()["users"]
        values = [[user["y"] for user in users if user["arm"] == side] for side in ("treatment", "control")]
        arms = [arm(len(y), float(np.mean(y)), float(np.var(y, ddof=1))) for y in values]
    else:
        # statsmodels adds a success and a failure to each arm first (Agresti and Caffo).
        arms = [share(inputs[f"n{side}"] + 2, inputs[f"x{side}"] + 1) for side in ("1", "0")]
        arms = [Estimates(a.units, a.value, a.variance, np.array([math.inf])) for a in arms]
    return {"p": equivalence_p_value(arms[0], arms[1], inputs["low"], inputs["upp"])}


@pytest.mark.parametrize("case", references("fixed_horizon") + references("noninferiority"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "fx.welch": welch,
            "fx.gb.prop.absolute": proportions_as_means,
            "fx.gb.prop.relative": peers.growthbook_relative_proportions,
            "fx.prop.z": pooled_z,
            "fx.prop.ci.agresti-caffo": peers.agresti_caffo,
            "fx.prop.ci.newcomb": peers.newcombe,
            "fx.prop.ratioci.log": peers.log_ratio,
            "fx.prop.ratioci.log-adjusted": peers.adjusted_log_ratio,
            "fx.prop.ratioci.score": score_ratio,
            "fx.prop.small.wald": wald,
            "fx.prop.small.newcomb": peers.newcombe,
            "fx.prop.small.agresti-caffo": peers.agresti_caffo,
            "fx.fieller": fieller,
            "fx.prop.ci.mn": score_difference,
            "ni.linear": linear_margin,
            "ni.prop.wald": wald_margin,
            "ni.tost": equivalence,
        },
    )
