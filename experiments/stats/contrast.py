"""Two arms reduced to one number and its standard error; every test works on these alone."""

import math
from dataclasses import dataclass

from experiments.stats.metrics.estimate import ArmEstimate

NO_EVENT_BOUND = 3.0
NO_EVENT_QUANTILE = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Contrast:
    """Estimate `d` (metric's unit) and its standard error `s` (same unit, above zero)."""

    d: float
    s: float

    @property
    def z(self) -> float:
        """The estimate in standard errors."""
        return self.d / self.s

    @property
    def information(self) -> float:
        """1 / s²."""
        return 1 / self.s**2


def squared_error(estimate: ArmEstimate, denominator: float) -> float:
    """Squared standard error of one arm's value; `denominator` is its ΣD.

    An arm without a single event has no variance, and yet its rate is not known to be zero: it is below 3 / ΣD with
    confidence 95 % (rule of three: Hanley & Lippman-Hand, JAMA 1983), so its standard error is taken as that bound over
    the normal quantile. Assumes that the numerator counts events.
    """
    if estimate.contributors > 0:
        return estimate.variance / estimate.units
    return (NO_EVENT_BOUND / (NO_EVENT_QUANTILE * denominator)) ** 2 if denominator > 0 else 0.0


def promotion_error(candidate: ArmEstimate, control: ArmEstimate, denominators: tuple[float, float], k: float) -> float:
    """Standard error of candidate - k·control that promotion is judged by.

    s² = v_T/n_T + k²·v_C/n_C (Welch), with max(v_T, v_C) for the candidate while it is less than half the control's
    size: a small arm's own variance errs on the side of a false promotion.
    """
    own = squared_error(candidate, denominators[0])
    if 2 * candidate.units < control.units:
        own = max(own, control.variance / candidate.units)
    return math.sqrt(own + k**2 * squared_error(control, denominators[1]))


def monitoring_error(candidate: ArmEstimate, control: ArmEstimate, k: float) -> float:
    """Standard error of candidate - k·control that harm is judged by.

    s² = v·(1/n_T + k²/n_C) with the variance pooled over both arms, as it is under the null hypothesis: looked at
    continuously, Welch's variance gives small arms far too many false alarms.
    """
    degrees = (candidate.units - 1, control.units - 1)
    pooled = (degrees[0] * candidate.variance + degrees[1] * control.variance) / (degrees[0] + degrees[1])
    return math.sqrt(pooled * (1 / candidate.units + k**2 / control.units))
