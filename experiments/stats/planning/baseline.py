"""What is known of a metric before the start: from history where there is some, else from what the user states."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.core.types import MetricType, UnitSums
from experiments.stats.metrics import KINDS
from experiments.stats.metrics.heavy import THRESHOLDS, heavy_total


@dataclass(frozen=True, slots=True)
class Baseline:
    """A metric's `value` and the variance of one unit, so that an estimate from n units has unit_variance / n.

    `is_share`: a share of units, whose variance follows from its value, p (1 - p), and so changes with the effect.
    `denominator` is a unit's mean denominator, like its requests; 1 for what is no ratio. `reached` is, of a share of
    requests, the part of units whose denominator reaches each of the totals of heavy units (`heavy.THRESHOLDS`); where
    it is not known, denominators are taken to be geometric.
    """

    value: float
    unit_variance: float
    is_share: bool = False
    denominator: float = 1.0
    reached: tuple[float, ...] = ()

    def heaviest(self, units: float) -> float:
        """How many mean denominators the tenth heaviest of so many units has at the most.

        The geometric distribution has the standard deviation that a stated number of requests a user is taken to have,
        about its mean.

        >>> from experiments.stats.planning.baseline import share_of_requests
        >>> errors = share_of_requests(0.01, 4.0, correlation=0.0)
        >>> [errors.heaviest(units) for units in (50.0, 1000.0, 100_000.0)]
        [1.75, 5.5, 11.0]
        """
        total = heavy_total([units * each for each in self.reached or geometric(self.denominator)])
        return total / self.denominator

    def variance_at(self, value: float) -> float:
        """Unit variance if the metric had another value."""
        return value * (1.0 - value) if self.is_share else self.unit_variance

    def adjusted(self, correlation: float) -> "Baseline":
        """With what units did before taken off (CUPED): the variance falls to 1 - rho² of what it was.

        Raises:
            InvalidArgument: `correlation-range`.

        >>> mean(10.0, 2.0).adjusted(0.7).unit_variance
        2.04
        """
        require(-1.0 < correlation < 1.0, lambda: _error("correlation-range", f"A correlation is {correlation}."))
        return replace(self, unit_variance=self.unit_variance * (1.0 - correlation**2), is_share=False)


def share(value: float) -> Baseline:
    """A share of units, like users with any error.

    Raises:
        InvalidArgument: `baseline-range`, not between 0 and 1.

    >>> share(0.5).unit_variance
    0.25
    """
    require(0.0 < value < 1.0, lambda: _error("baseline-range", f"A share of units is {value}."))
    return Baseline(value, value * (1.0 - value), is_share=True)


def mean(value: float, standard_deviation: float) -> Baseline:
    """A mean over units with the standard deviation between units.

    Raises:
        InvalidArgument: `baseline-range`.

    >>> mean(10.0, 2.0).unit_variance
    4.0
    """
    sound = math.isfinite(value) and math.isfinite(standard_deviation) and standard_deviation > 0.0
    require(sound, lambda: _error("baseline-range", f"A mean is {value} ± {standard_deviation}."))
    return Baseline(value, standard_deviation**2)


def share_of_requests(value: float, requests_a_unit: float, *, correlation: float, variation: float = 1.0) -> Baseline:
    """A share of requests, like errors or answers slower than a threshold, where a unit sends many.

    Unit variance p (1 - p) · design effect / requests a unit. `correlation` is that between requests of one unit (0 if
    unrelated, 1 if all are alike) and `variation` the standard deviation of requests a unit over their mean.

    Raises:
        InvalidArgument: `baseline-range`, `requests-range`, `correlation-range`.

    >>> share_of_requests(0.01, 5.0, correlation=0.0).unit_variance
    0.00198
    """
    binomial = share(value).unit_variance
    effect = design_effect(requests_a_unit, correlation=correlation, variation=variation)
    return Baseline(value, binomial * effect / requests_a_unit, denominator=requests_a_unit)


def geometric(mean_total: float) -> tuple[float, ...]:
    """The part of units that reaches each total of heavy units, if each sends one more request with the same chance.

    >>> geometric(2.0)[:3], geometric(1.0)[:3]
    ((0.5, 0.25, 0.125), (0.0, 0.0, 0.0))
    """
    more = max(1.0 - 1.0 / mean_total, 0.0) if mean_total > 0.0 else 0.0
    return tuple(more ** (threshold - 1) for threshold in THRESHOLDS)


def from_history(kind: MetricType, sums: UnitSums, reached: Sequence[int] = ()) -> Baseline:
    """From sums over units of the past, for any type of metric, and how many of them reach each total of heavy units.

    Raises:
        InvalidArgument: `baseline-range`, the sums hold nothing to estimate from.

    >>> from_history(MetricType.PROPORTION, UnitSums.of([1, 0, 0, 0])) == share(0.25)
    True
    """
    require(sums.units >= 2 and sums.sum_d != 0.0, lambda: _error("baseline-range", "The history has too few units."))
    arm = KINDS[kind].estimator.estimate(SumsColumns.of([sums]))
    value, variance = float(arm.value[0]), float(arm.variance[0])
    require(math.isfinite(value) and variance > 0.0, lambda: _error("baseline-range", f"The history says {value}."))
    parts = tuple(each / sums.units for each in reached)
    return Baseline(value, variance, KINDS[kind].is_share, sums.sum_d / sums.units, parts)


def design_effect(requests_a_unit: float, *, correlation: float, variation: float = 0.0) -> float:
    """How many requests say as much as one independent request: 1 + ((1 + cv²) m - 1) rho.

    With equal numbers of requests (cv = 0) it is Kish's 1 + (m - 1) rho.
    References: Kish, Survey Sampling (1965); Eldridge, Ashby and Kerry, Sample size for cluster randomized trials (Int.
    J. Epidemiol. 2006).

    Raises:
        InvalidArgument: `requests-range`, `correlation-range`.

    >>> design_effect(10.0, correlation=0.5), design_effect(10.0, correlation=0.5, variation=1.0)
    (5.5, 10.5)
    """
    sound = math.isfinite(requests_a_unit) and requests_a_unit >= 1.0 and variation >= 0.0
    require(sound, lambda: _error("requests-range", f"A unit sends {requests_a_unit} requests, ± {variation}."))
    require(0.0 <= correlation <= 1.0, lambda: _error("correlation-range", f"A correlation is {correlation}."))
    return 1.0 + ((1.0 + variation**2) * requests_a_unit - 1.0) * correlation


def _error(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(
        code, detail, next_step="Give shares between 0 and 1, positive spreads, and 1 request a unit or more."
    )
