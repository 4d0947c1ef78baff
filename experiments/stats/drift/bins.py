"""Bins frozen from the reference, so that every later window is counted in the same ones."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, require

BINS = 10
MOST_CATEGORIES = 50


class Bins(Protocol):
    """Counts of a feature's values in frozen bins."""

    def counts(self, values: ArrayLike) -> Floats:
        """How many values lie in each bin."""


@dataclass(frozen=True, slots=True, eq=False)
class NumericBins:
    """Bins between rising `edges`, the outer ones open, and one more for missing values, which comes last."""

    edges: Floats

    def counts(self, values: ArrayLike) -> Floats:
        """How many values lie in each bin; NaN is missing.

        >>> NumericBins(np.array([0.0, 1.0])).counts([-1.0, 0.0, 0.5, 7.0, np.nan]).tolist()
        [1.0, 2.0, 1.0, 1.0]
        """
        numbers = as_numbers(values)
        missing = np.isnan(numbers)
        place = np.where(missing, self.edges.size + 1, np.searchsorted(self.edges, numbers, side="right"))
        return np.bincount(place, minlength=self.edges.size + 2).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryBins:
    """A bin for each of the reference's frequent categories, one for its rare ones, one for new, one for missing."""

    frequent: NDArray[np.str_]
    rare: NDArray[np.str_]

    def counts(self, values: ArrayLike) -> Floats:
        """How many values lie in each bin; None and NaN are missing.

        >>> category_bins(["a", "b"]).counts(["b", "b", "c", None]).tolist()
        [0.0, 2.0, 0.0, 1.0, 1.0]
        """
        labels, missing = as_labels(values)
        rare, new, absent = (self.frequent.size + step for step in range(3))
        found = np.searchsorted(self.frequent, labels)
        frequent = np.isin(labels, self.frequent)
        place = np.where(frequent, found, np.where(np.isin(labels, self.rare), rare, new))
        return np.bincount(np.where(missing, absent, place), minlength=absent + 1).astype(np.float64)

    def new_categories(self, values: ArrayLike) -> tuple[str, ...]:
        """The categories that the reference does not have.

        >>> category_bins(["a", "b"]).new_categories(["b", "c", None])
        ('c',)
        """
        labels, missing = as_labels(values)
        known = np.concatenate([self.frequent, self.rare])
        return tuple(str(label) for label in np.setdiff1d(labels[~missing], known))


def numeric_bins(reference: ArrayLike, *, bins: int = BINS) -> NumericBins:
    """Edges at the reference's quantiles. A value that fills a bin alone, as 0 often does, has a bin of its own.

    Raises:
        InvalidArgument: `bins-range`.
        InvalidEvidence: `values-not-numeric`.

    >>> numeric_bins(np.arange(100), bins=4).edges.tolist()
    [24.0, 49.0, 74.0]
    >>> numeric_bins([5.0, 5.0, 5.0]).counts([4.0, 5.0, 6.0, 6.0]).tolist()
    [1.0, 1.0, 2.0, 0.0]
    """
    require(bins >= 2, lambda: InvalidArgument("bins-range", f"{bins} bins.", next_step="Ask for two or more."))
    numbers = as_numbers(reference)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return NumericBins(np.empty(0))
    # Quantiles that are values themselves, so that equal ones stay together.
    quantiles = np.quantile(numbers, np.arange(1, bins) / bins, method="inverted_cdf")
    values, repeats = np.unique(quantiles, return_counts=True)
    # Nothing lies above the largest number, so it needs no edge behind it.
    alone = values[(repeats > 1) & (values < np.finfo(np.float64).max)]
    return NumericBins(np.unique(np.concatenate([values, np.nextafter(alone, np.inf)])))


def category_bins(reference: ArrayLike, *, most: int = MOST_CATEGORIES) -> CategoryBins:
    """One bin for each category of the reference, up to `most`; the rarer ones share one.

    >>> category_bins(["a", "a", "b", "c", "c"], most=2).frequent.tolist()
    ['a', 'c']
    """
    labels, missing = as_labels(reference)
    names, counts = np.unique(labels[~missing], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return CategoryBins(np.sort(names[order[:most]]), np.sort(names[order[most:]]))


def as_numbers(values: ArrayLike) -> Floats:
    """The values as float64; None is NaN.

    Raises:
        InvalidEvidence: `values-not-numeric`.

    >>> as_numbers([1, None]).tolist()
    [1.0, nan]
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        detail = "A numeric feature has values that are no numbers."
        raise InvalidEvidence("values-not-numeric", detail, next_step="List it as categorical.") from error


def as_labels(values: ArrayLike) -> tuple[NDArray[np.str_], Flags]:
    """The values as text, and which of them are missing (None or NaN).

    Equal numbers have one label: whole numbers become floats where a column of them has a missing value.

    >>> labels, missing = as_labels(["de", 7, 7.0, None])
    >>> labels.tolist(), missing.tolist()
    (['de', '7', '7', ''], [False, False, False, True])
    """
    array = np.asarray(values, dtype=object).ravel()
    # NaN is the only value that differs from itself.
    missing = np.array([value is None or value != value for value in array], dtype=np.bool_)
    labels = ["" if absent else _label(value) for value, absent in zip(array, missing, strict=True)]
    return np.array(labels, dtype=np.str_), missing


def _label(value: object) -> str:
    if isinstance(value, bool | np.bool_) or (isinstance(value, float | np.floating) and value.is_integer()):
        return str(int(value))
    return str(value)
