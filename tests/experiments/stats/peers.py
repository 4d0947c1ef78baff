"""Methods of others that we do not offer, written down only to show that we know their figures.

What we offer instead, and why, is in docs/statistics.md.
"""

import math

import numpy as np
from scipy import special

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
