"""Evidence at any time against confseq, gbstats, avlm, savvi, mSPRT's own formula and independent derivations."""

import math

import numpy as np
import pytest
from scipy import optimize

from experiments.stats.core.columns import Estimates
from experiments.stats.core.contrast import linear_contrast
from experiments.stats.core.strata import combined
from experiments.stats.sequential import anytime, bounded
from tests.experiments.stats import peers
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references


def approximate_ratio(alpha: float) -> float:
    """What others use for the tuned ratio: -2 log alpha + log(1 - 2 log alpha)."""
    return float(-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha)))


def tuned(inputs: Inputs) -> Ours:
    return {"r_exact": anytime.tuned_ratio(inputs["alpha"]), "r_approx": approximate_ratio(inputs["alpha"])}


def half_width(inputs: Inputs) -> Ours:
    r = inputs["n"] * approximate_ratio(inputs["alpha"]) / inputs["n_star"]
    critical = anytime.two_sided_critical([r], inputs["alpha"])
    return {"halfwidth": critical * math.sqrt(inputs["s2"] / inputs["n"])}


def one_sided_half_width(inputs: Inputs) -> Ours:
    r = inputs["n"] * approximate_ratio(2 * inputs["alpha"]) / inputs["n_star"]
    bound = anytime.one_sided_bound(r, inputs["alpha"])
    return {"halfwidth": bound * math.sqrt(inputs["s2"] / inputs["n"])}


def growthbook(inputs: Inputs) -> Ours:
    """Their r counts users, ours information; for one fixed contrast the two are the same numbers."""
    sides = inputs["control"], inputs["treatment"]
    control, treatment = (peers.growthbook_arm(side) for side in sides)
    estimate, error = peers.growthbook_effect(control, treatment, relative=inputs.get("difference") == "relative")
    r = (sides[0]["n"] + sides[1]["n"]) * approximate_ratio(inputs["alpha"]) / inputs["n_star"]
    half = anytime.two_sided_critical([r], inputs["alpha"]) * error
    p_value = np.exp(-np.maximum(anytime.two_sided_log_e(estimate / error, r), 0.0))
    return {"est": estimate, "p": p_value, "ci_lo": estimate - half, "ci_hi": estimate + half}


def mixture_ratio(inputs: Inputs, *, one_sided: bool) -> float:
    alpha = (2 if one_sided else 1) * inputs["alpha_opt"]
    return float(inputs["v"] * approximate_ratio(alpha) / inputs["v_opt"])


def two_sided_bound(inputs: Inputs) -> Ours:
    critical = anytime.two_sided_critical([mixture_ratio(inputs, one_sided=False)], inputs["alpha"])
    return {"bound": critical * math.sqrt(inputs["v"])}


def one_sided_bound(inputs: Inputs) -> Ours:
    critical = anytime.one_sided_critical(mixture_ratio(inputs, one_sided=True), inputs["alpha"])
    return {"bound": critical * math.sqrt(inputs["v"])}


def log_mixture(inputs: Inputs) -> Ours:
    z = inputs["s"] / math.sqrt(inputs["v"])
    log_e = anytime.one_sided_log_e if inputs["one_sided"] else anytime.two_sided_log_e
    return {"log_e": log_e(z, mixture_ratio(inputs, one_sided=inputs["one_sided"]))}


def sequential_ratio_test(inputs: Inputs) -> Ours:
    streams = (np.array(data()["stream"][side][: inputs["n"]]) for side in ("t", "c"))
    treated, untreated = (float(values.mean()) for values in streams)
    information = inputs["n"] / inputs["V"]
    z, r = (treated - untreated) * math.sqrt(information), inputs["tau2"] * information
    log_e = anytime.two_sided_log_e(z, r)
    return {"lambda_n": np.exp(log_e), "log_lambda": log_e, "z": z, "r": r}


def linear_model(inputs: Inputs) -> Ours:
    log_e = anytime.student_log_e(math.sqrt(inputs["t2"]), inputs["nu"], inputs["n"] / inputs["g"])
    return {"log_G": log_e, "p": np.exp(-np.maximum(log_e, 0.0))}


def linear_model_radius(inputs: Inputs) -> Ours:
    degrees = inputs["n"] - inputs["number_of_coefficients"]

    def radius(log_g: float) -> float:
        return float(anytime.student_critical(degrees, inputs["n"] / math.exp(log_g), inputs["alpha"]))

    if "g" in inputs:
        return {"radius": radius(math.log(inputs["g"]))}
    best = optimize.minimize_scalar(radius, bounds=(-3, 8), method="bounded", options={"xatol": 1e-8})
    return {"g": math.exp(best.x), "radius": best.fun}


def savvi(inputs: Inputs) -> Ours:
    """The same factor with their precision phi of the effect and z2 of the data; their degrees are one too few."""
    return {"log_bf": anytime.student_log_e(math.sqrt(inputs["t2"]), inputs["nu"], inputs["z2"] / inputs["phi"])}


def rate(inputs: Inputs) -> Ours:
    low, high = bounded.rate_interval(inputs["k"], inputs["n"], inputs["alpha"], planned_trials=inputs["t_opt"])
    return {"lo": low, "hi": high}


def betting(inputs: Inputs) -> Ours:
    low, high = bounded.betting_interval([pair["a"] for pair in data()["pairs"]], inputs["alpha"])
    last = np.array(inputs["n"]) - 1
    return {"lo": low[last], "hi": high[last]}


def bernstein(inputs: Inputs) -> Ours:
    low, high = bounded.empirical_bernstein_interval([pair["a"] for pair in data()["pairs"]], inputs["alpha"])
    last = np.array(inputs["n"]) - 1
    return {"lo": low[last], "hi": high[last]}


def eppo(inputs: Inputs) -> Ours:
    r = inputs["n_total"] * approximate_ratio(inputs["alpha"]) / inputs["n_tune"]
    return {"B": anytime.two_sided_critical([r], inputs["alpha"])}


def epochs(inputs: Inputs) -> Ours:
    n_t, n_c, p_t, p_c = (np.array([epoch[key] for epoch in inputs["epochs"]]) for key in ("nT", "nC", "mT", "mC"))
    infinite = np.full_like(p_t, np.inf)
    arms = (Estimates(n, p, p * (1 - p), infinite) for n, p in ((n_t, p_t), (n_c, p_c)))
    contrast = combined(linear_contrast(*arms))
    r = inputs["tau"] ** 2 * contrast.information
    naive = (n_t * p_t).sum() / n_t.sum() - (n_c * p_c).sum() / n_c.sum()
    return {
        "est": contrast.difference,
        "se": contrast.standard_error,
        "z": contrast.z,
        "r": r,
        "log_e": anytime.two_sided_log_e(contrast.z, r),
        "pooled_naive_est": naive,
    }


@pytest.mark.parametrize("case", references("anytime"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "av.rstar": tuned,
            "av.hw2": half_width,
            "av.hw1": one_sided_half_width,
            "av.gb.seq": growthbook,
            "av.cs.nm2": two_sided_bound,
            "av.cs.nm1": one_sided_bound,
            "av.cs.logmix": log_mixture,
            "av.msprt": sequential_ratio_test,
            "av.avlm.t2": linear_model,
            "av.avlm.radius": linear_model_radius,
            "av.avlm.gstar": linear_model_radius,
            "av.savvi": savvi,
            "av.cs.poly": peers.stitched_bound,
            "av.cs.bern": rate,
            "av.cs.bb": peers.beta_binomial_mixture,
            "av.cs.gp": peers.gamma_poisson_bound,
            "av.betting": betting,
            "av.empbern": bernstein,
            "av.eppo": eppo,
            "av.statsig": peers.statsig_critical,
            "av.ramp.epochs": epochs,
        },
    )


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("r", [0.01, 1.0, 8.0, 300.0])
def test_critical_values_are_where_the_evidence_reaches_the_threshold(alpha: float, r: float) -> None:
    several = np.array([r, 4 * r, 16 * r])
    z = anytime.two_sided_critical(several, alpha)
    assert float(anytime.averaged(anytime.two_sided_log_e(z, several))) == pytest.approx(-math.log(alpha))
    above = anytime.one_sided_critical(r, alpha)
    assert float(anytime.one_sided_log_e(above, r)) == pytest.approx(-math.log(alpha))
    assert above <= anytime.one_sided_bound(r, alpha)


def test_the_tuned_ratio_is_where_the_interval_is_narrowest() -> None:
    best = anytime.tuned_ratio(0.05)
    widths = [float(anytime.two_sided_critical([r], 0.05)) for r in (0.9 * best, best, 1.1 * best)]
    # At a given information the width is the critical value alone.
    assert widths[1] == min(widths)


def test_the_one_sided_evidence_is_fair_under_no_difference() -> None:
    """The mixture's mean under the hypothesis is 1: integrated, not simulated."""
    z = np.linspace(-12, 40, 200_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    mean = np.trapezoid(np.exp(anytime.one_sided_log_e(z, 3.0)) * density, z)
    assert mean == pytest.approx(1.0, abs=1e-9)
