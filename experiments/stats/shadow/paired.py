"""Shadow mode: the same request goes to both models, so what makes a request hard cancels.

Differences are second minus first, the candidate's less the control's. Both answers to one request form a pair; pairs
of one unit resemble each other, so units are what is independent.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates
from experiments.stats.core.contrast import Contrast
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import Interval


def paired_difference(first: ArrayLike, second: ArrayLike, units: ArrayLike) -> Contrast:
    """Mean over pairs of second - first, with a standard error clustered by unit.

    d = Σ D / n with variance K/(K-1) Σ_i (Σ_j (D_ij - d))² / n², K units, n pairs. Assumes independent units.
    As a contrast it goes into every test there is: non-inferiority by its shift, any-time evidence by its z and
    information.
    Reference: Liang and Zeger, Longitudinal data analysis using generalized linear models (Biometrika 1986).

    Raises:
        InvalidEvidence: `pairs-lengths`, `pairs-not-finite`, `units-few`.

    >>> contrast = paired_difference([1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.0, 4.5], ["a", "a", "b", "b"])
    >>> round(float(contrast.difference), 4), round(float(contrast.standard_error), 4)
    (0.375, 0.125)
    """
    difference, codes = _checked(first, second, units)
    with np.errstate(all="ignore"):
        mean = difference.mean()
        totals = np.bincount(codes, weights=difference - mean)
        variance = totals.size / (totals.size - 1.0) * float(totals @ totals) / difference.size**2
    require(math.isfinite(variance), lambda: _evidence("pairs-not-finite", "A difference is too large to square."))
    columns = (mean, math.sqrt(variance), totals.size - 1.0)
    return Contrast(*(np.asarray(each, dtype=np.float64) for each in columns))


def paired_log_ratio(first: ArrayLike, second: ArrayLike, units: ArrayLike) -> Contrast:
    """Mean log of second / first, for durations: its exponential less one is the typical relative change.

    Raises:
        InvalidEvidence: `pairs-lengths`, `pairs-not-finite`, `pairs-not-positive`, `units-few`.

    >>> contrast = paired_log_ratio([100.0, 200.0, 50.0], [110.0, 220.0, 55.0], [1, 2, 3])
    >>> round(float(np.expm1(contrast.difference)), 6)
    0.1
    """
    both = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    positive = all(bool(np.all(each > 0.0)) for each in both)
    require(positive, lambda: _evidence("pairs-not-positive", "A duration is zero or negative."))
    return paired_difference(np.log(both[0]), np.log(both[1]), units)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two models' verdicts on the same requests compare.

    Counts of pairs: both passed, only the first, only the second, neither. `disagreement` is the share of pairs in
    which one alone passed, with its Wilson `interval`; `p_value` is McNemar's exact one; `kappa` is Cohen's, NaN where
    all pairs are alike. `log_e_value` is the evidence at any time that the models do not pass equally often.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    disagreement: float
    interval: Interval
    p_value: float
    kappa: float
    log_e_value: float


def agreement(first_passed: ArrayLike, second_passed: ArrayLike, *, alpha: float = 0.05) -> Agreement:
    """Compare pass or fail of both models; one pair a unit, else a unit's pairs count as if independent.

    McNemar: among the pairs in which one alone passed, each model is as likely if they are equally good.
    References: McNemar, Note on the sampling error of the difference between correlated proportions (Psychometrika
    1947); Cohen, A coefficient of agreement for nominal scales (Educ. Psychol. Meas. 1960).

    Raises:
        InvalidEvidence: `pairs-lengths`, `pairs-none`, `pairs-not-finite`.

    >>> found = agreement([1] * 75 + [0] * 45, [1] * 60 + [0] * 15 + [1] * 5 + [0] * 40)
    >>> found.only_first, found.only_second, round(found.p_value, 6), round(found.kappa, 6)
    (15, 5, 0.041389, 0.659574)
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (first_passed, second_passed)]
    known = not any(bool(np.isnan(side).any()) for side in sides)
    require(known, lambda: _evidence("pairs-not-finite", "A verdict is no number."))
    first, second = (side != 0.0 for side in sides)
    require(first.shape == second.shape, lambda: _evidence("pairs-lengths", "Both models need one verdict a pair."))
    require(first.size > 0, lambda: _evidence("pairs-none", "There is no pair."))
    counts = (first & second, first & ~second, ~first & second, ~first & ~second)
    both, only_first, only_second, neither = (int(np.count_nonzero(each)) for each in counts)
    unlike = only_first + only_second
    interval = stats.binomtest(unlike, first.size).proportion_ci(1.0 - alpha, method="wilson")
    return Agreement(
        both,
        only_first,
        only_second,
        neither,
        unlike / first.size,
        Interval(float(interval.low), float(interval.high)),
        float(stats.binomtest(only_first, unlike).pvalue) if unlike else 1.0,
        _kappa(both, only_first, only_second, neither),
        float(discordance_log_e(only_first, only_second)),
    )


def discordance_log_e(only_first: ArrayLike, only_second: ArrayLike) -> Floats:
    """Log e-value against "when one model alone passes, each is as likely": log B(1+b, 1+c) + (b+c) log 2.

    May be looked at after every pair. Assumes independent pairs: take one a unit.
    Reference: the uniform mixture of Robbins, Statistical methods related to the law of the iterated logarithm (Ann.
    Math. Stat. 1970), for a fair coin.

    >>> round(float(discordance_log_e(15, 5)), 6)
    1.169568
    """
    b, c = np.asarray(only_first, dtype=np.float64), np.asarray(only_second, dtype=np.float64)
    return np.asarray(special.betaln(1.0 + b, 1.0 + c) + (b + c) * np.log(2.0), dtype=np.float64)


def one_pair_a_unit(units: ArrayLike, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Places of one random pair of each unit, for tests that take pairs for independent.

    >>> sorted(one_pair_a_unit(["a", "b", "b"], np.random.default_rng(1)).tolist())[0]
    0
    """
    labels = np.asarray(units)
    order = rng.permutation(labels.size)
    return np.sort(order[np.unique(labels[order], return_index=True)[1]])


def as_estimates(contrast: Contrast, units: int) -> Estimates:
    """A paired difference as an estimate over units, with the standard error as that of a mean.

    >>> contrast = paired_difference([1.0, 2.0], [1.5, 2.0], [1, 2])
    >>> float(as_estimates(contrast, 2).value)
    0.25
    """
    return Estimates(
        np.asarray(float(units)), contrast.difference, contrast.standard_error**2 * units, contrast.degrees
    )


def _kappa(both: int, only_first: int, only_second: int, neither: int) -> float:
    count = both + only_first + only_second + neither
    first, second = (both + only_first) / count, (both + only_second) / count
    by_chance = first * second + (1.0 - first) * (1.0 - second)
    return ((both + neither) / count - by_chance) / (1.0 - by_chance) if by_chance < 1.0 else math.nan


def _checked(
    first: ArrayLike, second: ArrayLike, units: ArrayLike
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    labels = np.asarray(units)
    same = first.shape == second.shape == labels.shape
    require(same, lambda: _evidence("pairs-lengths", "Both models and the units need one entry a pair."))
    with np.errstate(all="ignore"):
        difference = second - first
    require(bool(np.isfinite(difference).all()), lambda: _evidence("pairs-not-finite", "A value is no number."))
    codes = np.unique(labels, return_inverse=True)[1]
    several = codes.size > 0 and int(codes.max()) >= 1
    require(several, lambda: _evidence("units-few", "There are fewer than two units."))
    return difference, codes


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give both models' values and the unit's label for each request.")
