"""What looks cost and save: the larger sample that they need, and the smaller one that they use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending
from experiments.stats.sequential.group_sequential.boundaries import critical_values
from experiments.stats.sequential.group_sequential.paths import start


@dataclass(frozen=True, slots=True)
class Design:
    """Looks as planned. Information is in units of what a single look would need for the same power.

    `inflation` is the most that is used; `expected_without_effect` and `expected_with_effect` are what is used on
    average without an effect and with the planned one. `stop_with_effect` is the chance to stop at each look then.
    """

    critical: tuple[float, ...]
    inflation: float
    expected_without_effect: float
    expected_with_effect: float
    stop_with_effect: tuple[float, ...]


@lru_cache(maxsize=256)
def design(
    fractions: Sequence[float], alpha: float, power: float, *, spending: Spending = OBRIEN_FLEMING, sides: int = 1
) -> Design:
    """Design looks at these shares of the information, the last being 1; give a tuple.

    The effect is the one that a single look at all of the information finds with the stated power, and the inflation
    is (drift / (z_{1-alpha} + z_power))² with the drift at which the looks together have that power.
    Reference: Jennison and Turnbull, Group Sequential Methods (2000), chapters 2 and 7.

    Raises:
        InvalidArgument: `alpha-range`, `sides`, `power-range`, `fraction-range`.
        InvalidEvidence: `information-range`, `information-shrank`.

    >>> five = design((0.2, 0.4, 0.6, 0.8, 1.0), 0.025, 0.8)
    >>> round(five.inflation, 4), round(five.expected_with_effect, 4)
    (1.0247, 0.8237)
    """
    require(alpha / sides < power < 1.0, lambda: _power_range(power))
    looks = [Look(fraction, fraction) for fraction in fractions]
    critical = critical_values(looks, alpha, spending=spending, sides=sides)
    single = float(special.ndtri(1.0 - alpha / sides) + special.ndtri(power))

    def shortfall(drift: float) -> float:
        return float(stopping_probabilities(fractions, critical, drift=drift, sides=sides)[0].sum()) - power

    drift = float(optimize.brentq(shortfall, 0.1, single * 4.0, xtol=1e-9))
    with_effect = stopping_probabilities(fractions, critical, drift=drift, sides=sides).sum(axis=0)
    without = stopping_probabilities(fractions, critical, drift=0.0, sides=sides).sum(axis=0)
    inflation = (drift / single) ** 2
    return Design(
        tuple(critical.tolist()),
        inflation,
        inflation * _expected(fractions, without),
        inflation * _expected(fractions, with_effect),
        tuple(with_effect.tolist()),
    )


def stopping_probabilities(
    information: Sequence[float], critical: Sequence[float] | Floats, *, drift: float = 0.0, sides: int = 1
) -> Floats:
    """Chance to stop at each look, shape (2, looks): above the critical value, and below its mirror image.

    With one side nothing stops below. `drift` is the mean of z at information 1.

    >>> stopping_probabilities([0.5, 1.0], [2.9626, 1.9686])[0].round(4).tolist()
    [0.0015, 0.0235]
    """
    paths, above, below = start(drift), [], []
    for at, bound in zip(information, critical, strict=True):
        low = -float(bound) if sides == 2 else -math.inf
        above.append(paths.exceeding(float(bound), at))
        below.append(paths.below(low, at) if sides == 2 else 0.0)
        paths = paths.between(low, float(bound), at)
    return np.array([above, below])


def _expected(fractions: Sequence[float], stopped: Floats) -> float:
    return float(np.dot(fractions, stopped) + fractions[-1] * (1.0 - stopped.sum()))


def _power_range(power: float) -> InvalidArgument:
    return InvalidArgument("power-range", f"The power is {power}.", next_step="Give a value between alpha and 1.")
