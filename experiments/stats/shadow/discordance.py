"""Shadow mode with pass or fail: pairs in which one model alone passes, against a margin and at any time.

With control first and candidate second, `only_first` pairs are those that the candidate alone failed. Their odds,
only first over only second, are 1 if both models pass equally often.
"""

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.types import UnitSums
from experiments.stats.sequential.events import share_log_e


def harm_log_e(only_first: ArrayLike, only_second: ArrayLike, *, accepted_odds: float = 1.0) -> Floats:
    """Log e-value against "the odds of a pair that the candidate alone fails are at most `accepted_odds`".

    The share test with share m / (1 + m): evidence that the candidate is worse than the margin. May be looked at
    after every pair. Assumes independent pairs: take one a unit.
    Reference: Lindon and Malek, Anytime-valid inference for multinomial count data (NeurIPS 2022), section 4.

    Raises:
        InvalidArgument: `odds-range`.
        InvalidEvidence: `counts-impossible`.

    >>> round(float(harm_log_e(40, 20)), 4), round(float(harm_log_e(40, 20, accepted_odds=1.5)), 4)
    (2.1942, -0.5748)
    """
    _check_odds(accepted_odds)
    only_first, only_second = _counts(only_first), _counts(only_second)
    return share_log_e(only_first, only_second, accepted_odds / (1.0 + accepted_odds))


def noninferiority_log_e(only_first: ArrayLike, only_second: ArrayLike, *, accepted_odds: float) -> Floats:
    """Log e-value against "the odds of a pair that the candidate alone fails are at least `accepted_odds`".

    Evidence that the candidate is worse by less than the margin; the same test with the models' places changed.

    Raises:
        InvalidArgument: `odds-range`.
        InvalidEvidence: `counts-impossible`.

    >>> bool(noninferiority_log_e(50, 50, accepted_odds=3.0) > np.log(100))
    True
    """
    _check_odds(accepted_odds)
    return harm_log_e(only_second, only_first, accepted_odds=1.0 / accepted_odds)


def disagreement(first_passed: ArrayLike, second_passed: ArrayLike, units: ArrayLike) -> UnitSums:
    """Sums of the share of pairs in which one model alone passes, clustered by unit: a ratio metric.

    Verdicts are 0 or 1. For pairs of which many belong to one unit, where Wilson's interval is too narrow.

    Raises:
        InvalidEvidence: `pairs-lengths`, `pairs-none`, `verdicts-impossible`.

    >>> disagreement([1, 1, 0], [1, 0, 1], ["ann", "ann", "bob"])
    UnitSums(units=2, sum_y=2.0, sum_d=3.0, sum_yy=2.0, sum_dd=5.0, sum_yd=3.0)
    """
    first, second = (np.asarray(each, dtype=np.float64) for each in (first_passed, second_passed))
    labels = np.asarray(units)
    same = first.shape == second.shape == labels.shape
    require(same, lambda: _evidence("pairs-lengths", "Both models and the units need one entry a pair."))
    require(first.size > 0, lambda: _evidence("pairs-none", "There is no pair."))
    known = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    require(known, lambda: _evidence("verdicts-impossible", "A verdict is neither 0 nor 1."))
    codes = np.unique(labels, return_inverse=True)[1]
    return UnitSums.of(np.bincount(codes, weights=first != second), np.bincount(codes))


def _counts(counts: ArrayLike) -> Floats:
    counts = np.asarray(counts, dtype=np.float64)
    possible = bool(np.all(np.isfinite(counts) & (counts >= 0.0)))
    require(possible, lambda: _evidence("counts-impossible", "A count of pairs is negative or no number."))
    return counts


def _check_odds(odds: float) -> None:
    require(
        1e-6 <= odds <= 1e6,
        lambda: InvalidArgument("odds-range", f"The accepted odds are {odds}.", next_step="Give odds such as 1.5."),
    )


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give both models' verdicts and the unit's label for each request.")
