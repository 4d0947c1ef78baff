"""The measures of metrics: what is one, and what is not."""

import pytest

from controlplane.problems.errors import InvalidInput
from experiments.evidence.measures import Measure, parse
from experiments.evidence.metric_sums import MetricDefinition, counts_events, measures_of
from experiments.stats.core.types import MetricType

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("requests", Measure("requests")),
        (" errors ", Measure("errors")),
        ("cost", Measure("sum", "cost")),
        ("count(ttft_ms)", Measure("count", "ttft_ms")),
        ("outcome(sale)", Measure("outcome", "sale")),
        ("outcome_count( shop.sale:v2-x )", Measure("outcome_count", "shop.sale:v2-x")),
    ],
)
def test_what_is_a_measure(text: str, measure: Measure) -> None:
    assert parse(text) == measure


@pytest.mark.parametrize(
    "text",
    [
        "",
        "request",
        "status",
        "sum(cost)",
        "sum",
        "count",
        "count()",
        "count(status)",
        "outcome",
        "outcome()",
        "outcome(a b)",
        "outcome('a')",
        "outcome(a)b",
        "outcome(outcome(a))",
        "requests(cost)",
        "cost + cost",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    assert raised.value.code == "measure-unknown"
    assert "outcome_count(<name>)" in raised.value.next_step


@pytest.mark.parametrize(
    ("metric_type", "denominator"),
    [(MetricType.RATIO, None), (MetricType.MEAN, "requests"), (MetricType.PROPORTION, "requests")],
)
def test_only_a_ratio_has_a_denominator(metric_type: MetricType, denominator: str | None) -> None:
    with pytest.raises(InvalidInput) as raised:
        measures_of(MetricDefinition("metric", metric_type, "errors", denominator))
    assert raised.value.code == "metric-denominator"


@pytest.mark.parametrize(
    ("numerator", "denominator", "counts"),
    [
        ("errors", "requests", True),
        ("abandoned", "requests", True),
        ("truncated", "requests", True),
        ("above(duration_ms, 2000)", "requests", True),
        ("above(ttft_ms, 500)", "count(ttft_ms)", True),
        ("above(ttft_ms, 500)", "count(cost)", False),
        ("errors", "count(ttft_ms)", False),
        ("cost", "requests", False),
        ("duration_ms", "requests", False),
        ("outcome(score)", "requests", False),
        ("outcome_count(thumbs-up)", "requests", False),
        ("errors", "errors", False),
        ("no measure", "requests", False),
    ],
)
def test_a_ratio_says_whether_it_counts_events(numerator: str, denominator: str, *, counts: bool) -> None:
    assert counts_events(MetricDefinition("metric", MetricType.RATIO, numerator, denominator)) is counts
