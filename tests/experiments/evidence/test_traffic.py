"""Traffic over time, by variant."""

from datetime import UTC, timedelta

import pytest

from experiments.evidence import TrafficPoint, traffic
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, request_row

pytestmark = pytest.mark.slow


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def test_requests_users_errors_and_durations_of_each_bucket(lake_url: str) -> None:
    requests = [
        request_row("a", time=at(0), unit=1, duration_ms=100.0),
        request_row("b", time=at(9.99), unit=1, duration_ms=200.0, status=503),
        request_row("c", time=at(5), unit=2, duration_ms=600.0, status=0, flags="DC"),
        request_row("d", time=at(5), unit=3, variant="candidate", duration_ms=50.0, status=0, flags="UC"),
        request_row("e", time=at(30), unit=1, duration_ms=10.0),
        request_row("before", time=at(-1)),
        request_row("forced", time=at(1), forced=True),
        request_row("shadow", time=at(1), shadow=True),
        request_row("other", time=at(1), experiment="other"),
    ]
    fill(lake_url, requests)
    assert traffic(lake_url, "exp", START, bucket_seconds=10) == (
        TrafficPoint("candidate", START, requests=1, users=1, errors=1, mean_duration_ms=50.0),
        TrafficPoint("control", START, requests=3, users=2, errors=1, mean_duration_ms=300.0),
        TrafficPoint("control", START + timedelta(seconds=30), requests=1, users=1, errors=0, mean_duration_ms=10.0),
    )


def test_times_are_in_utc(lake_url: str) -> None:
    fill(lake_url, [request_row("a", time=at(0))])
    [point] = traffic(lake_url, "exp", START)
    assert point.time.tzinfo is UTC


def test_a_lake_that_does_not_exist_has_no_traffic(lake_url: str) -> None:
    assert traffic(lake_url, "exp", START) == ()
