"""What all users of an endpoint did lately, as one group."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from experiments.evidence import CollectedBaseline, LakeVersion, MetricDefinition, collect_baseline, collect_evidence
from experiments.stats.core.types import MetricType
from experiments.stats.planning import Arrivals
from tests.experiments.evidence import events
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, outcome_row, request_row

pytestmark = pytest.mark.slow

REQUESTS = MetricDefinition("requests", MetricType.MEAN, "requests")
ERRORS = MetricDefinition("errors", MetricType.RATIO, "errors", "requests")
THUMBS = MetricDefinition("thumbs", MetricType.PROPORTION, "outcome_count(thumbs_up)")
MEDIAN = MetricDefinition("median", MetricType.QUANTILE, "duration_ms", level=0.5)
HOUR = 3600.0


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def collected(units: int, first_half: int, hours: float) -> CollectedBaseline:
    return CollectedBaseline(units, first_half, hours, {}, LakeVersion(0, 0))


def test_everybody_counts_whatever_experiment_they_were_in(lake_url: str) -> None:
    requests = [
        request_row("a", unit=1, status=503),
        request_row("b", unit=1, experiment="other", variant="candidate", time=at(HOUR)),
        request_row("c", unit=2, experiment=None, variant=None, time=at(4 * HOUR)),
        request_row("elsewhere", unit=3, endpoint="search"),
        request_row("forced", unit=4, forced=True),
        request_row("shadow", unit=5, shadow=True),
        request_row("nobody", unit=None),
        request_row("before", unit=6, time=at(-1)),
    ]
    fill(lake_url, requests, [outcome_row("o", unit=2, time=at(5 * HOUR)), outcome_row("p", unit=3)])
    found = collect_baseline(lake_url, "chat", START, [REQUESTS, ERRORS, THUMBS])
    assert (found.units, found.units_of_first_half, found.hours) == (2, 1, 4.0)
    assert (found.sums["requests"].sum_y, found.sums["requests"].sum_yy) == (3.0, 5.0)
    assert (found.sums["errors"].sum_y, found.sums["errors"].sum_d) == (1.0, 3.0)
    assert found.sums["thumbs"].sum_y == 1.0


def test_who_stands_for_others_counts_for_them_unless_an_experiment_took_them_too(lake_url: str) -> None:
    outside = {"experiment": None, "variant": None, "kept_share": 0.25}
    requests = [
        request_row("a", unit=1, **outside),
        request_row("b", unit=1, **outside, time=at(HOUR)),
        request_row("c", unit=2, **outside, time=at(3 * HOUR)),
        request_row("d", unit=3, **outside, time=at(3 * HOUR)),
        request_row("e", unit=3, time=at(4 * HOUR)),
    ]
    fill(lake_url, requests)

    found = collect_baseline(lake_url, "chat", START, [REQUESTS])

    assert (found.units, found.units_of_first_half, found.hours) == (9.0, 4.0, 4.0)
    assert found.sums["requests"].sum_y == 5.0


def test_only_requests_that_meet_the_conditions_count(lake_url: str) -> None:
    edges = [("eu", 503), ("eu", 200), ("us", 503)]
    fill(lake_url, [request_row(f"r{n}", unit=n, edge=edge, status=status) for n, (edge, status) in enumerate(edges)])
    found = collect_baseline(lake_url, "chat", START, [replace(ERRORS, conditions=("edge is eu",))])
    errors = found.sums["errors"]
    assert (errors.units, errors.sum_y, errors.sum_d) == (2, 1.0, 2.0)


def test_one_arm_alone_has_the_sums_of_its_experiment(lake_url: str) -> None:
    requests = [request_row(f"r{n}", unit=n % 7, time=at(n), cost=0.1 * n, ttft_ms=float(n)) for n in range(40)]
    fill(lake_url, requests, [outcome_row(f"o{n}", name="sale", unit=n, value=3.0, time=at(60)) for n in range(4)])
    found = collect_baseline(lake_url, "chat", START, [*events.METRICS, MEDIAN])
    same = collect_evidence(lake_url, "exp", START, [*events.METRICS, MEDIAN]).evidence
    assert {(metric, "control"): sums for metric, sums in found.sums.items()} == same.sums


def test_the_last_seven_days_count_unless_told_otherwise(lake_url: str) -> None:
    fill(lake_url, [request_row("old", unit=1), request_row("new", unit=2, time=at(2 * 24 * HOUR))])
    found = collect_baseline(lake_url, "chat", None, [REQUESTS], now=START + timedelta(days=8))
    assert found.units == 1


def test_how_many_users_send_much_is_counted_of_what_may_fail(lake_url: str) -> None:
    fill(lake_url, [request_row(f"{unit}-{n}", unit=unit) for unit in (1, 2, 3) for n in range(2 * unit)])
    found = collect_baseline(lake_url, "chat", START, [REQUESTS, ERRORS, MEDIAN])
    # Users with 2, 4 and 6 requests, of the totals 2, 3, 4, 6, 8 and so on.
    assert {key: counts[:5] for key, counts in found.reached.items()} == {"errors": (3, 2, 2, 1, 0)}


def test_without_requests_nothing_is_known(lake_url: str) -> None:
    found = collect_baseline(lake_url, "chat", START, [REQUESTS, MEDIAN])
    assert (found.units, found.hours, found.sums, found.arrivals) == (0, 0.0, {}, None)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((800, 400, 8.0), Arrivals(100.0, 1.0)),
        ((800, 300, 8.0), Arrivals(100.0, 1.0)),
        ((400, 200 * 2**0.5, 16.0), Arrivals(100.0, 0.5)),
        ((100, 100, 1.0), Arrivals(100.0, 0.3)),
        ((100, 100, 32.0), Arrivals(100.0 / 32.0**0.3, 0.3, 100.0)),
        ((100, 90, 32.0), Arrivals(100.0 / 32.0**0.3, 0.3)),
        ((100, 100, 0.01), None),
        ((1, 0, 0.0), None),
    ],
)
def test_units_come_as_fast_as_they_came(counts: Any, expected: Arrivals | None) -> None:
    found = collected(*counts).arrivals
    assert (found is None) == (expected is None)
    if found and expected:
        assert (found.first_hour, found.exponent) == pytest.approx((expected.first_hour, expected.exponent))
