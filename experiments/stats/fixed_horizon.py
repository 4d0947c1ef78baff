"""Intervals and p-values for one planned look."""

import math

from scipy import special

from experiments.stats.contrast import Contrast
from experiments.stats.types import Interval


def interval(contrast: Contrast, alpha: float) -> Interval:
    """Two-sided interval d ± z·s of coverage 1 - alpha, in the limit of many units.

    >>> interval(Contrast(d=1.0, s=0.5), alpha=0.05).low
    0.020018007729972975
    """
    width = float(special.ndtri(1 - alpha / 2)) * contrast.s
    return Interval(contrast.d - width, contrast.d + width)


def p_greater(contrast: Contrast) -> float:
    """One-sided p-value of d <= 0: Φ(-z)."""
    return float(special.ndtr(-contrast.z))


def fieller(candidate: tuple[float, float], control: tuple[float, float], alpha: float) -> Interval | None:
    """Interval of (candidate - control) / |control| of coverage 1 - alpha; None where the data allow any value.

    Takes (value, standard error) of each arm. Solves (m_T - g·m_C)² = z²(s_T² + g²·s_C²) for g (Fieller, 1954): it
    inverts the same linear contrast as relative margins do, so interval and verdict never disagree. Assumes independent arms.
    """
    value, error = candidate
    control_value, control_error = control
    z = float(special.ndtri(1 - alpha / 2))
    a = control_value**2 - (z * control_error) ** 2
    if a <= 0:
        return None
    b = value * control_value
    root = math.sqrt(max(b**2 - a * (value**2 - (z * error) ** 2), 0.0))
    low, high = (b - root) / a - 1, (b + root) / a - 1
    return Interval(low, high) if control_value > 0 else Interval(-high, -low)
