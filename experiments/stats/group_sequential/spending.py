"""Spending functions: how much of alpha may be used up at a share of the planned information."""

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy import special

from experiments.stats.errors import InvalidArgument, require


class Family(StrEnum):
    """The shapes of spending."""

    OBRIEN_FLEMING = "obrien-fleming"
    POCOCK = "pocock"
    POWER = "power"
    HWANG_SHIH_DECANI = "hwang-shih-decani"


@dataclass(frozen=True, slots=True)
class Spending:
    """A spending function. `shape` is the exponent of the power family, or gamma of Hwang, Shih and DeCani."""

    family: Family
    shape: float = 0.0

    def spent(self, alpha: float, fraction: float) -> float:
        """Alpha of one side that is used up once `fraction` of the information is there; all of it from 1 on.

        O'Brien-Fleming type: 2 - 2 Phi(z_{1-alpha/2} / sqrt t); Pocock type: alpha log(1 + (e - 1) t);
        power: alpha t^shape; Hwang-Shih-DeCani: alpha (1 - e^{-shape t}) / (1 - e^{-shape}).
        References: Lan and DeMets (Biometrika 1983); Kim and DeMets (Biometrika 1987); Hwang, Shih and DeCani (Stat.
        Med. 1990).

        Raises:
            InvalidArgument: `fraction-range`, the fraction is below 0 or no number.

        >>> round(OBRIEN_FLEMING.spent(0.025, 0.5), 8), round(POCOCK.spent(0.05, 0.1), 8)
        (0.00152532, 0.00792825)
        """
        require(fraction >= 0.0, lambda: _fraction_range(fraction))
        t = min(fraction, 1.0)
        if t in (0.0, 1.0):
            return alpha * t
        match self.family:
            case Family.OBRIEN_FLEMING:
                return float(2.0 * special.ndtr(special.ndtri(alpha / 2.0) / math.sqrt(t)))
            case Family.POCOCK:
                return alpha * math.log1p((math.e - 1.0) * t)
            case Family.POWER:
                return float(alpha * t**self.shape)
            case Family.HWANG_SHIH_DECANI:
                return alpha * (math.expm1(-self.shape * t) / math.expm1(-self.shape) if self.shape else t)


OBRIEN_FLEMING = Spending(Family.OBRIEN_FLEMING)
"""Spends almost nothing early: the last look costs next to nothing over a single one."""

POCOCK = Spending(Family.POCOCK)
"""Spends evenly: earlier answers for clear effects, at the price of a larger last sample."""


def power_family(exponent: float) -> Spending:
    """Spend alpha t^exponent.

    Raises:
        InvalidArgument: `spending-shape`, the exponent is not above 0.

    >>> power_family(2.0).spent(0.05, 0.5)
    0.0125
    """
    require(exponent > 0.0 and math.isfinite(exponent), lambda: _shape(exponent))
    return Spending(Family.POWER, exponent)


def hwang_shih_decani(gamma: float) -> Spending:
    """Spend alpha (1 - e^{-gamma t}) / (1 - e^{-gamma}); -4 is close to O'Brien-Fleming, 1 to Pocock.

    Raises:
        InvalidArgument: `spending-shape`, gamma is no number.

    >>> round(hwang_shih_decani(-4.0).spent(0.025, 0.2), 8)
    0.00057163
    """
    require(math.isfinite(gamma), lambda: _shape(gamma))
    return Spending(Family.HWANG_SHIH_DECANI, gamma)


def _fraction_range(fraction: float) -> InvalidArgument:
    return InvalidArgument(
        "fraction-range",
        f"The information fraction is {fraction}.",
        next_step="Give the information in hand over the planned information, 0 or more.",
    )


def _shape(shape: float) -> InvalidArgument:
    return InvalidArgument(
        "spending-shape",
        f"A spending function cannot have the shape {shape}.",
        next_step="Give the power family an exponent above 0, and Hwang-Shih-DeCani a finite gamma.",
    )
