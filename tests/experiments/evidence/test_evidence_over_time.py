"""Evidence over time: at each moment, the evidence that there was by then."""

import tempfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.evidence import collect_evidence, evidence_over_time
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import assert_same, fill
from tests.factories.rows import START, request_row

pytestmark = pytest.mark.slow

Row = dict[str, Any]


def known_by(rows: list[Row], time: datetime) -> list[Row]:
    return [row for row in rows if datetime.fromisoformat(row["time"]) < time]


@settings(max_examples=25)
@given(st.lists(events.REQUESTS, max_size=40), st.lists(events.OUTCOMES, max_size=15))
def test_each_point_is_the_evidence_up_to_it(requests: list[Row], outcomes: list[Row]) -> None:
    arms = reference.arms_of(reference.measured(requests, "exp", START))
    requests = [row for row in requests if len(arms.get(row["unit"], ())) < 2]
    outcomes = [row for row in outcomes if row["request_id"] is None]
    with tempfile.TemporaryDirectory() as directory:
        fill(directory, requests, outcomes)
        points = evidence_over_time(directory, "exp", START, events.METRICS, bucket_seconds=20)
    for point in points:
        by_then = known_by(requests, point.time), known_by(outcomes, point.time)
        assert_same(point.evidence, reference.evidence(*by_then, "exp", START, events.METRICS)[0])


@settings(max_examples=15)
@given(st.lists(events.REQUESTS, max_size=40), st.lists(events.OUTCOMES, max_size=15))
def test_the_last_point_is_all_evidence(requests: list[Row], outcomes: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        fill(directory, requests, outcomes)
        points = evidence_over_time(directory, "exp", START, events.METRICS, bucket_seconds=7)
        collected = collect_evidence(directory, "exp", START, events.METRICS)
    assert bool(points) == bool(collected.evidence.units)
    for point in points[-1:]:
        assert_same(point.evidence, collected.evidence)


def test_points_lie_at_the_ends_of_their_buckets(lake_url: str) -> None:
    times = [START + timedelta(seconds=seconds) for seconds in (0, 59.9, 60, 200)]
    fill(lake_url, [request_row(str(unit), unit=unit, time=time.isoformat()) for unit, time in enumerate(times)])
    points = evidence_over_time(lake_url, "exp", START, events.METRICS[:1])
    assert [(point.time - START).total_seconds() for point in points] == [60, 120, 240]
    assert [point.evidence.units["control"] for point in points] == [2, 3, 4]


def test_a_lake_that_does_not_exist_has_no_points(lake_url: str) -> None:
    assert evidence_over_time(lake_url, "exp", START, events.METRICS) == ()
