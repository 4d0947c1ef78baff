"""Where the sums of a metric come from is said by its kind; one that nobody knows is not taken for another."""

from dataclasses import replace
from typing import cast

import pytest

from experiments.evidence.metric_sums import MetricDefinition
from experiments.evidence.special import Rows, special_sums
from experiments.stats.core.types import MetricType
from experiments.stats.metrics import mean
from experiments.stats.metrics.kind import MetricKind, Source
from tests.factories.rows import START


class OfAnotherKind(MetricDefinition):
    """A metric of a kind that was added, and whose source nothing reads yet."""

    @property
    def kind(self) -> MetricKind:
        return replace(mean.KIND, source=cast("Source", "a view"))


def test_sums_from_a_source_that_nothing_reads_are_no_labels() -> None:
    metric = OfAnotherKind("viewed", MetricType.MEAN, "requests")
    assert not metric.adds_up
    with pytest.raises(AssertionError, match="a view"):
        special_sums([metric], cast("Rows", None), START, START)
