"""How right a classifier is on real users, from labels that arrive late.

Every measure is a ratio of counts over units, so intervals and tests are those of ratios, clustered by unit. Only
requests with a label count; that both arms are labelled alike is a health check.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import MetricType, UnitSums
from experiments.stats.metrics import part
from experiments.stats.metrics.kind import MetricKind, Source

_LABELS = {
    MetricType.ACCURACY: "Accuracy: share of labelled requests that are right",
    MetricType.PRECISION: "Precision: share of those called positive that are",
    MetricType.RECALL: "Recall: share of positives that were found",
    MetricType.F1: "F1: precision and recall in one",
}

# What a classifier gets right is a part of what it was asked.
KINDS = tuple(MetricKind(kind, label, part.ESTIMATOR, Source.LABELS) for kind, label in _LABELS.items())
MEASURES = tuple(_LABELS)


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Counts of labelled requests of each unit of one arm: rightly and wrongly called positive and negative."""

    true_positives: Floats
    false_positives: Floats
    false_negatives: Floats
    true_negatives: Floats

    def sums(self, kind: MetricType) -> UnitSums:
        """One of the four measures as a ratio metric over units; units without anything to count are left out.

        accuracy (TP+TN) / all, precision TP / (TP+FP), recall TP / (TP+FN), and F1 = 2 TP / (2 TP + FP + FN), the
        harmonic mean of precision and recall, which is a ratio of counts too. Specificity is the recall of the other
        class. Raises `KeyError` for a type of metric that is none of a classifier.
        Assumes independent units; the variance is the delta method's.
        References: van Rijsbergen, Information Retrieval (1979); Deng, Knoblich and Lu (KDD 2018).

        >>> arm = outcomes([1, 1, 0, 1], [1, 0, 1, 1], ["ann", "ann", "bob", "cleo"])
        >>> f1 = arm.sums(MetricType.F1)
        >>> round(f1.sum_y / f1.sum_d, 4)
        0.6667
        """
        right, wrong = self.true_positives, self.false_positives + self.false_negatives
        y, d = {
            MetricType.ACCURACY: (right + self.true_negatives, right + self.true_negatives + wrong),
            MetricType.PRECISION: (right, right + self.false_positives),
            MetricType.RECALL: (right, right + self.false_negatives),
            MetricType.F1: (2.0 * right, 2.0 * right + wrong),
        }[kind]
        return UnitSums.of(y[d > 0.0], d[d > 0.0])


def outcomes(actual: ArrayLike, predicted: ArrayLike, units: ArrayLike, *, positive: object = 1) -> Outcomes:
    """Count each unit's outcomes; one entry a labelled request. With several classes, one is positive against the rest.

    Raises:
        InvalidEvidence: `labels-lengths`, `labels-none`; `labels-missing`, a label or a prediction is NaN.

    >>> outcomes(["cat", "dog"], ["cat", "cat"], [7, 7], positive="cat").false_positives.tolist()
    [1.0]
    """
    actual, predicted, labels = np.asarray(actual), np.asarray(predicted), np.asarray(units)
    same = actual.shape == predicted.shape == labels.shape
    require(same, lambda: _evidence("labels-lengths", "Labels, predictions and units differ in length."))
    require(labels.size > 0, lambda: _evidence("labels-none", "No request has a label yet."))
    missing = np.not_equal(actual, actual) | np.not_equal(predicted, predicted)
    require(not missing.any(), lambda: _evidence("labels-missing", "Some requests lack their label or prediction."))
    codes = np.unique(labels, return_inverse=True)[1]
    is_so, called_so = actual == positive, predicted == positive
    kinds = (is_so & called_so, ~is_so & called_so, is_so & ~called_so, ~is_so & ~called_so)
    return Outcomes(*(np.bincount(codes, weights=kind).astype(np.float64) for kind in kinds))


def _evidence(code: str, detail: str) -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step="Give a label, a prediction and a unit for each labelled request.")
