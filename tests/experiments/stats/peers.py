"""Methods of others that we do not offer, written down only to show that we know their figures.

What we offer instead, and why, is in docs/statistics.md.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from tests.experiments.stats.references import Inputs, Ours


def growthbook_relative_proportions(inputs: Inputs) -> Ours:
    """GrowthBook's lift, symmetric by the delta method; ours is Fieller's, which agrees with the absolute test."""
    (n_c, x_c), (n_t, x_t) = ((inputs[side]["n"], inputs[side]["sum"]) for side in ("control", "treatment"))
    return relative_delta(
        (n_c, x_c / n_c, x_c / n_c * (1 - x_c / n_c)), (n_t, x_t / n_t, x_t / n_t * (1 - x_t / n_t)), inputs["alpha"]
    )


def relative_delta(
    control: tuple[float, float, float], treatment: tuple[float, float, float], alpha: float
) -> dict[str, float]:
    """Lift (m_T - m_C) / m_C with its delta-method variance and Welch's degrees; arms are (units, mean, variance)."""
    (n_c, m_c, v_c), (n_t, m_t, v_t) = control, treatment
    error = math.sqrt(v_t / n_t / m_c**2 + v_c / n_c * m_t**2 / m_c**4)
    degrees = (v_t / n_t + v_c / n_c) ** 2 / ((v_t / n_t) ** 2 / (n_t - 1) + (v_c / n_c) ** 2 / (n_c - 1))
    lift, critical = (m_t - m_c) / m_c, float(special.stdtrit(degrees, 1 - alpha / 2))
    return {
        "est": lift,
        "se": error,
        "p": 2 * float(special.stdtr(degrees, -abs(lift) / error)),
        "ci_lo": lift - critical * error,
        "ci_hi": lift + critical * error,
    }


class Effect(NamedTuple):
    """An estimate with its standard error and degrees of freedom."""

    estimate: float
    error: float
    degrees: float


def arm(side: Inputs) -> tuple[float, float, float]:
    """Units, value and unit variance of GrowthBook's statistics."""
    kind, n = side["type"], side["n"]
    if kind == "quantile":
        z = float(special.ndtri(0.975))
        # They divide by n - 1 in effect: n_star of the order statistics' distance.
        return n, side["q"], ((side["qu"] - side["ql"]) / (2 * z)) ** 2 * (n - 1)
    if kind == "ratio":
        top, bottom = side["m"], side["d"]
        value = top["sum"] / bottom["sum"]
        squares = top["sum_squares"] - 2 * value * side["m_d"] + value**2 * bottom["sum_squares"]
        return n, value, squares / (n - 1) / (bottom["sum"] / n) ** 2
    return growthbook_arm(side)


def effect(control: tuple[float, float, float], treatment: tuple[float, float, float], *, relative: bool) -> Effect:
    """Absolute, or a lift by the delta method; Welch's degrees of freedom from the absolute variances."""
    (n_c, _, v_c), (n_t, _, v_t) = control, treatment
    degrees = (v_t / n_t + v_c / n_c) ** 2 / ((v_t / n_t) ** 2 / (n_t - 1) + (v_c / n_c) ** 2 / (n_c - 1))
    return Effect(*growthbook_effect(control, treatment, relative=relative), degrees)


def agresti_caffo(inputs: Inputs) -> Ours:
    """One more success and failure in each arm, then Wald's interval; ours is the score test's."""
    n1, n0 = inputs["n1"] + 2, inputs["n0"] + 2
    p1, p0 = (inputs["x1"] + 1) / n1, (inputs["x0"] + 1) / n0
    half = _z(inputs) * math.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
    return {"lo": p1 - p0 - half, "hi": p1 - p0 + half}


def newcombe(inputs: Inputs) -> Ours:
    """Wilson's intervals of both arms combined; ours is the score test's."""
    (p1, low1, high1), (p0, low0, high0) = (_wilson(inputs[f"x{i}"], inputs[f"n{i}"], _z(inputs)) for i in (1, 0))
    difference = p1 - p0
    return {
        "lo": difference - math.hypot(p1 - low1, high0 - p0),
        "hi": difference + math.hypot(high1 - p1, p0 - low0),
    }


def log_ratio(inputs: Inputs) -> Ours:
    """Symmetric on the log scale; ours is the score test's."""
    return _log_ratio(inputs["x1"], inputs["n1"], inputs["x0"], inputs["n0"], _z(inputs))


def adjusted_log_ratio(inputs: Inputs) -> Ours:
    """The same with half an event more in each arm."""
    return _log_ratio(inputs["x1"] + 0.5, inputs["n1"] + 0.5, inputs["x0"] + 0.5, inputs["n0"] + 0.5, _z(inputs))


def _log_ratio(x1: float, n1: float, x0: float, n0: float, z: float) -> Ours:
    centre, half = math.log(x1 / n1 * n0 / x0), z * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    return {"lo": math.exp(centre - half), "hi": math.exp(centre + half)}


def _wilson(events: float, units: float, z: float) -> tuple[float, float, float]:
    p = events / units
    centre = (p + z**2 / (2 * units)) / (1 + z**2 / units)
    half = z / (1 + z**2 / units) * math.sqrt(p * (1 - p) / units + z**2 / (4 * units**2))
    return p, centre - half, centre + half


def _z(inputs: Inputs) -> float:
    return float(special.ndtri(1 - np.float64(inputs["alpha"]) / 2))


def growthbook_arm(side: Inputs) -> tuple[float, float, float]:
    """Units, mean and variance; a side without squares is a proportion."""
    units, mean = side["n"], side["sum"] / side["n"]
    if "sum_squares" not in side:
        return units, mean, mean * (1 - mean)
    return units, mean, (side["sum_squares"] - side["sum"] ** 2 / units) / (units - 1)


def growthbook_effect(
    control: tuple[float, float, float], treatment: tuple[float, float, float], *, relative: bool
) -> tuple[float, float]:
    """Estimate and standard error, absolute or as a lift by the delta method."""
    if relative:
        lift = relative_delta(control, treatment, 0.05)
        return lift["est"], lift["se"]
    (n_c, m_c, v_c), (n_t, m_t, v_t) = control, treatment
    return m_t - m_c, math.sqrt(v_c / n_c + v_t / n_t)


def statsig_critical(inputs: Inputs) -> Ours:
    """Statsig's critical value as documented: its mixture shrinks as 1/n, so the value never changes with n."""
    share, alpha = inputs["share"], inputs["alpha"]
    # variance over mixing variance, 1 / (2 z² p (1-p)), without the number of units
    ratio = 1 / (2 * float(special.ndtri(1 - alpha / 2)) ** 2 * share * (1 - share))
    return {"z_star": math.sqrt((1 + ratio) * (-2 * math.log(alpha / 2) - math.log(ratio / (1 + ratio))))}


def stitched_bound(inputs: Inputs) -> Ours:
    """Polynomial stitching (Howard et al., theorem 1): simple, but wider than a mixture at any planned size."""
    ratio, s = inputs["eta"], inputs["s"]
    v = max(inputs["v"], inputs["v_min"])
    ell = s * math.log(math.log(ratio * v / inputs["v_min"]))
    ell += math.log(special.zeta(s) / math.log(ratio) ** s) - math.log(inputs["alpha"])
    spread = (ratio**0.25 + ratio**-0.25) / math.sqrt(2)
    linear = (math.sqrt(ratio) + 1) / 2 * inputs["c"] * ell
    return {"bound": math.sqrt(spread**2 * v * ell + linear**2) + linear}


def tuning(v_opt: float, alpha: float) -> float:
    """Howard's ρ for the intrinsic time that matters most."""
    wanted = -2 * math.log(alpha)
    return v_opt / (wanted + math.log1p(wanted))


def beta_binomial_mixture(inputs: Inputs) -> Ours:
    """Howard's sub-Bernoulli mixture for increments between -g and h."""
    return {"log_e": beta_binomial_log_e(inputs)}


def beta_binomial_log_e(inputs: Inputs) -> float:
    s, v, g, h = (float(inputs[name]) for name in ("s", "v", "g", "h"))
    one_sided = inputs["one_sided"]
    rho = tuning(inputs["v_opt"], (2 if one_sided else 1) * inputs["alpha_opt"])
    prior = max(rho - g * h, 1e-3 * g * h)
    cut = h / (g + h) if one_sided else 1.0

    def log_incomplete(below: float, above: float) -> float:
        a, b = below / (g * (g + h)), above / (h * (g + h))
        return float(special.betaln(a, b) + math.log(special.betainc(a, b, cut)))

    found = log_incomplete(prior + v - g * s, prior + v + h * s) - log_incomplete(prior, prior)
    found += v / (g * h) * math.log(g + h)
    return found - (v + h * s) / (h * (g + h)) * math.log(g) - (v - g * s) / (g * (g + h)) * math.log(h)


def gamma_poisson_bound(inputs: Inputs) -> Ours:
    """Howard's sub-Poisson mixture bound; our events are compared between arms, so their rate never enters."""
    v, c = inputs["v"], inputs["c"]
    rho = tuning(inputs["v_opt"], 2 * inputs.get("alpha_opt", 0.05)) / c**2

    def log_e(s: float) -> float:
        shape, rate = s / c + v / c**2 + rho, v / c**2 + rho
        found = special.gammaln(shape) + math.log(special.gammaincc(shape, rate)) - shape * math.log(rate) + v / c**2
        return float(found + rho * math.log(rho) - special.gammaln(rho) - math.log(special.gammaincc(rho, rho)))

    bound = optimize.brentq(lambda s: log_e(s) + math.log(inputs["alpha"]), 0.0, 10 * v, xtol=1e-12)
    return {"bound": bound}
