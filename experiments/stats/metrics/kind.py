"""All that there is to know of a type of metric. Each says it in one file, and nobody else asks which type it is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import Estimates, SumsColumns
from experiments.stats.core.types import MetricType


class Source(StrEnum):
    """Where the sums of a metric come from: totals of units that grow with every row, values of requests, or labels."""

    TOTALS = "totals"
    VALUES = "values"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Estimator:
    """How sums over units become a value.

    `estimate` gives the value and unit variance of each cell, `rare_events` how many events of the rarer kind the sums
    hold, infinite where there are no events, and `design_effect` how many of the denominator's units make one
    independent trial, NaN where there are no trials.
    """

    estimate: Callable[[SumsColumns], Estimates]
    rare_events: Callable[[SumsColumns], Floats]
    design_effect: Callable[[SumsColumns], Floats]


@dataclass(frozen=True, slots=True)
class MetricKind:
    """A type of metric: its name, how it is estimated, where its sums come from, and which fields it has.

    `is_share`: a share of units, whose variance follows from its value. `is_ratio`: its denominator is a measure too,
    and its numerator may count events of it. `has_cap`, `has_window`: the fields that a metric of this type may have.
    `is_scaled`: where it differs by a factor, so does its spread. `few` says what an arm lacks that has too few units.
    """

    type: MetricType
    label: str
    estimator: Estimator
    source: Source
    is_share: bool = False
    is_ratio: bool = False
    has_cap: bool = False
    has_window: bool = False
    is_scaled: bool = False
    few: str = "A variant has fewer than two users."

    @property
    def adds_up(self) -> bool:
        """Whether its sums follow from totals of units that grow with every row."""
        return self.source is Source.TOTALS

    @property
    def is_of_labels(self) -> bool:
        """Whether it is of requests with a prediction and a label."""
        return self.source is Source.LABELS

    @property
    def has_level(self) -> bool:
        """Whether its metrics name a level: it is a quantile of requests' values."""
        return self.source is Source.VALUES

    @property
    def has_denominator(self) -> bool:
        """Whether its metrics name a second thing: a measure, or the outcome that is the label."""
        return self.is_ratio or self.is_of_labels
