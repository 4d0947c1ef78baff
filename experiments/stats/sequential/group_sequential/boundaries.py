"""Critical values of z at looks, from what each look may spend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending
from experiments.stats.sequential.group_sequential.paths import FAR, Paths, start

LEAST_GROWTH = 1e-6
"""Information that grew by less than this share is the same information: the look spends nothing."""

NOTHING_TO_SPEND = 1e-15


def critical_values(
    looks: Sequence[Look], alpha: float, *, spending: Spending = OBRIEN_FLEMING, sides: int = 1
) -> Floats:
    """Critical z of each look; with two sides |z| is compared, and each side spends half of alpha.

    At each look P(not stopped before, z beyond the critical value) is the alpha newly spent on that side. A look whose
    information has not grown keeps the critical value of the one before; one that may not spend is infinite.
    Assumes independent increments, as of units that enter one after another.
    Reference: Lan and DeMets (Biometrika 1983); Jennison and Turnbull, Group Sequential Methods (2000), chapter 7.

    Raises:
        InvalidArgument: `alpha-range`, `sides`, `fraction-range`.
        InvalidEvidence: `information-range`, `information-shrank`.

    >>> looks = [Look(t, t) for t in (0.25, 0.5, 0.75, 1.0)]
    >>> critical_values(looks, 0.025).round(4).tolist()
    [4.3326, 2.9631, 2.359, 2.0141]
    """
    _check(looks, alpha, sides)
    return np.array([_stage(tuple(looks[: k + 1]), alpha, spending, sides).critical for k in range(len(looks))])


def next_critical_value(
    looks: Sequence[Look], alpha: float, *, spending: Spending = OBRIEN_FLEMING, sides: int = 1
) -> float:
    """Critical z of the last look alone; all before it are remembered, so a look more costs some milliseconds.

    Raises:
        InvalidArgument: `alpha-range`, `sides`, `fraction-range`, `looks-none`.
        InvalidEvidence: `information-range`, `information-shrank`.

    >>> round(next_critical_value([Look(0.5, 0.5), Look(1.2, 1.0)], 0.025), 4)
    1.9715
    """
    require(bool(looks), _no_looks)
    _check(looks, alpha, sides)
    return _stage(tuple(looks), alpha, spending, sides).critical


def first_critical_values(alpha: ArrayLike, fraction: ArrayLike, *, spending: Spending = OBRIEN_FLEMING) -> Floats:
    """Critical z of one-sided first looks, many at once: Phi⁻¹(1 - alpha spent).

    Raises:
        InvalidArgument: `fraction-range`.

    >>> first_critical_values(0.025, [0.25, 1.0]).round(4).tolist()
    [4.3326, 1.96]
    """
    return np.asarray(-special.ndtri(spending.spent(alpha, fraction)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """What a look leaves behind; `spent` is the alpha of one side."""

    critical: float
    spent: float
    paths: Paths


@lru_cache(maxsize=8192)
def _stage(looks: tuple[Look, ...], alpha: float, spending: Spending, sides: int) -> _Stage:
    """The state after the last of the looks; each is built on the one before it, which the cache holds."""
    before = _stage(looks[:-1], alpha, spending, sides) if len(looks) > 1 else _Stage(math.inf, 0.0, start())
    information = looks[-1].information
    if information <= before.paths.information * (1.0 + LEAST_GROWTH):
        return before
    spent = max(float(spending.spent(alpha / sides, looks[-1].fraction)), before.spent)
    critical = _critical(before.paths, information, spent - before.spent)
    low = -critical if sides == 2 else -math.inf
    return _Stage(critical, spent, before.paths.between(low, critical, information))


def _critical(paths: Paths, information: float, to_spend: float) -> float:
    """The z that is exceeded with this probability."""
    if to_spend < NOTHING_TO_SPEND:
        return math.inf

    def excess(z: float) -> float:
        return paths.exceeding(z, information) - to_spend

    return float(optimize.brentq(excess, -FAR, FAR, xtol=1e-10))


def _check(looks: Sequence[Look], alpha: float, sides: int) -> None:
    require(0.0 < alpha < 1.0, lambda: _argument("alpha-range", f"alpha is {alpha}.", "Give a value between 0 and 1."))
    require(sides in (1, 2), lambda: _argument("sides", f"A test has no {sides} sides.", "Give 1 or 2."))
    values = [look.information for look in looks]
    sound = all(math.isfinite(value) and value > 0.0 for value in values)
    require(sound, lambda: _information("information-range", f"A look has information {values}.", "above 0"))
    grows = all(later >= earlier * (1.0 - LEAST_GROWTH) for earlier, later in pairwise(values))
    require(grows, lambda: _information("information-shrank", f"Information went down: {values}.", "that only grows"))


def _argument(code: str, detail: str, next_step: str) -> InvalidArgument:
    return InvalidArgument(code, detail, next_step=next_step)


def _no_looks() -> InvalidArgument:
    return _argument("looks-none", "There is no look.", "Give the looks until now, the present one last.")


def _information(code: str, detail: str, wanted: str) -> InvalidEvidence:
    return InvalidEvidence(
        code, detail, next_step=f"Give finite information {wanted}; evidence that was deleted cannot be analysed."
    )
