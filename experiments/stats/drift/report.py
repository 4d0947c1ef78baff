"""Which inputs of a model are no longer what they were, over all features at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require
from experiments.stats.core.multiplicity import benjamini_hochberg
from experiments.stats.core.types import Interval
from experiments.stats.drift.bins import BINS, Bins, as_numbers, category_bins, numeric_bins
from experiments.stats.drift.distances import (
    Distances,
    critical_stability_index,
    distance_intervals,
    distances,
    smoothed,
)
from experiments.stats.drift.requests import Requests, sampled
from experiments.stats.health.findings import check_alpha

THRESHOLD = 0.1
"""Stability index from which on a shift is worth an alarm; how sure it is, the interval says."""

FEWEST_UNITS = 100


class Kind(StrEnum):
    """How a feature is compared."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Numeric values beside the reference's: Kolmogorov and Smirnov's largest difference of the distribution
    functions with its p-value, and Wasserstein's distance in the feature's unit. Missing and infinite values are out.
    """

    kolmogorov_smirnov: float
    p_value: float
    wasserstein: float


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature of the present window beside the reference.

    `critical_index` is what the stability index exceeds by chance in alpha of windows. `p_value` is that of the
    chi-square test over bins (missing ones included), `adjusted_p_value` Benjamini and Hochberg's over features.
    `drifted` says that the index and the lower end of its interval are above the threshold, and the adjusted p-value
    is at most alpha. `new_categories` are those that the reference does not have; `values` is None for categories.
    """

    feature: str
    kind: Kind
    distances: Distances
    index_interval: Interval
    jensen_shannon_interval: Interval
    critical_index: float
    p_value: float
    adjusted_p_value: float
    drifted: bool
    values: Comparison | None
    new_categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All features, the furthest from the reference first, and the names of those that drifted.

    Without enough units there are none, and `note` says so.
    """

    features: tuple[FeatureDrift, ...]
    drifted: tuple[str, ...]
    reference_units: int
    present_units: int
    note: str


def drift_report(
    reference: Requests,
    present: Requests,
    *,
    categorical: Collection[str] = (),
    threshold: float = THRESHOLD,
    alpha: float = 0.05,
    bins: int = BINS,
    seed: int = 0,
) -> DriftReport:
    """Compare each feature of the present window with the reference, on one random request of each unit.

    Numbers are numeric and everything else categorical, as are features named in `categorical`. Bins are frozen from
    the reference. A feature drifted if its stability index is above the threshold and so is the lower end of its
    interval of coverage 1 - alpha, and Benjamini and Hochberg's p-value over features is at most alpha. Drift of
    inputs says that the model sees other requests, not that it got worse; between two arms of one rollout it says that
    the assignment is not random. Assumes independent units; those in both windows only make it more cautious.
    References: Yurdakul and Naranjo (J. Risk Model Validation 2020); Benjamini and Hochberg (JRSS B 1995).

    Raises:
        InvalidArgument: `alpha-range`, `threshold-range`, `bins-range`.
        InvalidEvidence: `features-differ`, `features-lengths`, `values-not-numeric`.

    >>> rng = np.random.default_rng(0)
    >>> before = Requests(np.arange(2000), {"tokens": rng.normal(200, 30, 2000), "lang": ["de", "en"] * 1000})
    >>> now = Requests(np.arange(2000), {"tokens": rng.normal(230, 30, 2000), "lang": ["en", "de"] * 1000})
    >>> drift_report(before, now).drifted
    ('tokens',)
    """
    check_alpha(alpha)
    require(threshold >= 0.0, lambda: _range("threshold-range", f"The threshold is {threshold}.", "Give 0 or more."))
    require(set(reference.features) == set(present.features), _different_features)
    before, now = sampled(reference, seed=seed), sampled(present, seed=seed + 1)
    sizes = np.size(before.units), np.size(now.units)
    if min(sizes) < FEWEST_UNITS:
        return DriftReport((), (), *sizes, f"Fewer than {FEWEST_UNITS} units in a window are too few to compare.")
    found = [
        feature_drift(
            feature,
            values,
            now.features[feature],
            categorical=feature in categorical,
            alpha=alpha,
            bins=bins,
            seed=seed,
        )
        for feature, values in before.features.items()
    ]
    judged = sorted(_judged(found, threshold, alpha), key=lambda each: -each.distances.stability_index)
    return DriftReport(tuple(judged), tuple(each.feature for each in judged if each.drifted), *sizes, "")


def feature_drift(
    feature: str,
    reference: ArrayLike,
    present: ArrayLike,
    *,
    categorical: bool = False,
    alpha: float = 0.05,
    bins: int = BINS,
    seed: int = 0,
) -> FeatureDrift:
    """Compare one feature's values, one a unit, with the reference's; it is not yet judged.

    Raises:
        InvalidArgument: `alpha-range`, `bins-range`.
        InvalidEvidence: `values-none`, `values-not-numeric`.

    >>> found = feature_drift("lang", ["de"] * 90 + ["en"] * 110, ["de"] * 100 + ["fr"] * 100)
    >>> found.kind.value, found.new_categories, found.drifted
    ('categorical', ('fr',), False)
    """
    require(np.size(reference) > 0 and np.size(present) > 0, lambda: _no_values(feature))
    if categorical or not (_is_numeric(reference) and _is_numeric(present)):
        categories = category_bins(reference)
        found = _in_bins(feature, categories, reference, present, alpha=alpha, seed=seed)
        return replace(found, kind=Kind.CATEGORICAL, new_categories=categories.new_categories(present))
    found = _in_bins(feature, numeric_bins(reference, bins=bins), reference, present, alpha=alpha, seed=seed)
    return replace(found, values=compared(reference, present))


def compared(reference: ArrayLike, present: ArrayLike) -> Comparison | None:
    """Kolmogorov and Smirnov's test and Wasserstein's distance of finite values; None where a side has none.

    The p-value is the asymptotic one, for independent values and so for one request a unit.
    References: Smirnov (Ann. Math. Statist. 1948); Villani, Optimal Transport (2009).

    >>> compared([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).wasserstein
    1.0
    """
    before, now = _finite(reference), _finite(present)
    if not before.size or not now.size:
        return None
    test = stats.ks_2samp(before, now, method="asymp")
    with np.errstate(over="ignore"):
        apart = float(stats.wasserstein_distance(before, now))
    return Comparison(float(test.statistic), float(test.pvalue), apart)


def _in_bins(
    feature: str, bins: Bins, reference: ArrayLike, present: ArrayLike, *, alpha: float, seed: int
) -> FeatureDrift:
    before, now = bins.counts(reference), bins.counts(present)
    used = before + now > 0.0
    before, now = before[used], now[used]
    index_interval, jensen_shannon_interval = distance_intervals(before, now, alpha=alpha, seed=seed)
    p_value = float(stats.chi2_contingency(np.stack([before, now]), correction=False).pvalue)
    return FeatureDrift(
        feature=feature,
        kind=Kind.NUMERIC,
        distances=distances(smoothed(before), smoothed(now)),
        index_interval=index_interval,
        jensen_shannon_interval=jensen_shannon_interval,
        critical_index=float(critical_stability_index(before.size, before.sum(), now.sum(), alpha=alpha)),
        p_value=p_value,
        adjusted_p_value=p_value,
        drifted=False,
        values=None,
        new_categories=(),
    )


def _judged(found: Iterable[FeatureDrift], threshold: float, alpha: float) -> list[FeatureDrift]:
    features = list(found)
    p_values = np.array([each.p_value for each in features])
    adjusted = benjamini_hochberg(p_values) if features else p_values
    return [
        replace(each, adjusted_p_value=float(p), drifted=bool(_beyond(each, threshold) and p <= alpha))
        for each, p in zip(features, adjusted, strict=True)
    ]


def _beyond(found: FeatureDrift, threshold: float) -> bool:
    return min(found.distances.stability_index, found.index_interval.low) > threshold


def _is_numeric(values: ArrayLike) -> bool:
    array = np.asarray(values)
    return array.dtype.kind in "iuf" or (array.dtype.kind == "O" and all(_number_or_none(value) for value in array))


def _number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float | np.number) and not isinstance(value, bool))


def _finite(values: ArrayLike) -> Floats:
    numbers = as_numbers(values)
    return numbers[np.isfinite(numbers)]


def _range(code: str, detail: str, next_step: str) -> InvalidArgument:
    return InvalidArgument(code, detail, next_step=next_step)


def _no_values(feature: str) -> InvalidEvidence:
    return InvalidEvidence("values-none", f"{feature} has no values.", next_step="Give values of both windows.")


def _different_features() -> InvalidEvidence:
    detail = "The windows do not have the same features."
    return InvalidEvidence(
        "features-differ", detail, next_step="Give every feature of one for the other; None if missing."
    )
