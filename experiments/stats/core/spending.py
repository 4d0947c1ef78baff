"""Spending functions: how much of alpha may be used up at a share of the planned information."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, require


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

    def spent(self, alpha: ArrayLike, fraction: ArrayLike) -> Floats:
        """Alpha of one side that is used up once `fraction` of the information is there; all of it from 1 on.

        O'Brien-Fleming type: 2 - 2 Phi(z_{1-alpha/2} / sqrt t); Pocock type: alpha log(1 + (e - 1) t);
        power: alpha t^shape; Hwang-Shih-DeCani: alpha (1 - e^{-shape t}) / (1 - e^{-shape}).
        References: Lan and DeMets (Biometrika 1983); Kim and DeMets (Biometrika 1987); Hwang, Shih and DeCani (Stat.
        Med. 1990).

        Raises:
            InvalidArgument: `fraction-range`, the fraction is below 0 or no number.

        >>> OBRIEN_FLEMING.spent(0.025, [0.5, 1.0]).round(8).tolist(), float(POCOCK.spent(0.05, 0.1).round(8))
        ([0.00152532, 0.025], 0.00792825)
        """
        alpha, fraction = np.asarray(alpha, dtype=np.float64), np.asarray(fraction, dtype=np.float64)
        require(bool(np.all(fraction >= 0.0)), lambda: _fraction_range(fraction))
        t = np.minimum(fraction, 1.0)
        with np.errstate(divide="ignore"):
            return np.asarray(np.where(t == 0.0, 0.0, np.where(t == 1.0, alpha, self._spent(alpha, t))))

    def _spent(self, alpha: Floats, t: Floats) -> Floats:
        match self.family:
            case Family.OBRIEN_FLEMING:
                share = 2.0 * special.ndtr(special.ndtri(alpha / 2.0) / np.sqrt(t))
            case Family.POCOCK:
                share = alpha * np.log1p((np.e - 1.0) * t)
            case Family.POWER:
                share = alpha * t**self.shape
            case Family.HWANG_SHIH_DECANI:
                share = alpha * (np.expm1(-self.shape * t) / np.expm1(-self.shape) if self.shape else t)
        return np.asarray(share, dtype=np.float64)


OBRIEN_FLEMING = Spending(Family.OBRIEN_FLEMING)
"""Spends almost nothing early: the last look costs next to nothing over a single one."""

POCOCK = Spending(Family.POCOCK)
"""Spends evenly: earlier answers for clear effects, at the price of a larger last sample."""


def power_family(exponent: float) -> Spending:
    """Spend alpha t^exponent.

    Raises:
        InvalidArgument: `spending-shape`, the exponent is not above 0.

    >>> float(power_family(2.0).spent(0.05, 0.5))
    0.0125
    """
    require(exponent > 0.0 and math.isfinite(exponent), lambda: _shape(exponent))
    return Spending(Family.POWER, exponent)


def hwang_shih_decani(gamma: float) -> Spending:
    """Spend alpha (1 - e^{-gamma t}) / (1 - e^{-gamma}); -4 is close to O'Brien-Fleming, 1 to Pocock.

    Raises:
        InvalidArgument: `spending-shape`, gamma is no number.

    >>> float(hwang_shih_decani(-4.0).spent(0.025, 0.2).round(8))
    0.00057163
    """
    require(math.isfinite(gamma), lambda: _shape(gamma))
    return Spending(Family.HWANG_SHIH_DECANI, gamma)


def _fraction_range(fraction: Floats) -> InvalidArgument:
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


@dataclass(frozen=True, slots=True)
class Look:
    """A look: the information in hand, 1 / standard error², and the share of the planned information that it counts as.

    The share is what spends alpha. It is 1 at a declared last look, however much information there is: too little of
    it loses power, and more (over-running) costs nothing.
    """

    information: float
    fraction: float
