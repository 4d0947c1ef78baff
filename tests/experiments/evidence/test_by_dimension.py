"""Evidence by dimension is that of the users whose first request had the value."""

import tempfile
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.evidence import MetricDefinition
from experiments.evidence.by_dimension import MOST_VALUES, NOT_TOLD, OTHERS, collect_by_dimension
from experiments.stats.core.types import MetricType
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, request_row

pytestmark = pytest.mark.slow

Row = dict[str, Any]
KEYS = ("error_rate", "cost", "errors_of_mobile", "satisfied", "revenue_a_request")
METRICS = [metric for metric in events.METRICS if metric.key in KEYS]
REQUESTS = MetricDefinition("requests", MetricType.MEAN, "requests")


def first_values(rows: Sequence[Row], dimension: str) -> dict[int, str]:
    """Of each unit what its first request has there; of two at one moment the smaller."""
    found = {}
    for unit in {row["unit"] for row in rows}:
        mine = [row for row in rows if row["unit"] == unit]
        first = min(row["time"] for row in mine)
        told = [row[dimension] for row in mine if row["time"] == first and row[dimension] is not None]
        texts = sorted(str(each).lower() if isinstance(each, bool) else each for each in told)
        found[unit] = texts[0] if texts else NOT_TOLD
    return found


@settings(max_examples=12)
@given(
    st.sampled_from(["edge", "client", "stream"]),
    st.lists(events.REQUESTS, max_size=40),
    st.lists(events.OUTCOMES, max_size=15),
)
def test_the_same_as_by_hand(dimension: str, requests: list[Row], outcomes: list[Row]) -> None:
    values = first_values(reference.measured(requests, "exp", START), dimension)
    # As if each value's arms were arms of their own.
    told = [row | {"variant": row["variant"] and f"{values.get(row['unit'])}|{row['variant']}"} for row in requests]
    expected, _ = reference.evidence(told, outcomes, "exp", START, METRICS)
    with tempfile.TemporaryDirectory() as directory:
        lake = fill(directory, requests, outcomes)
        found = collect_by_dimension(lake, "exp", START, METRICS, [dimension], now=datetime.now(UTC))
    segments = {each.value: each.evidence for each in found.segments}
    units = {f"{value}|{arm}": count for value, each in segments.items() for arm, count in each.units.items()}
    sums = {(m, f"{value}|{arm}"): s for value, each in segments.items() for (m, arm), s in each.sums.items()}
    assert units == expected.units
    assert sums.keys() == expected.sums.keys()
    for key, found_sums in sums.items():
        assert astuple(found_sums) == pytest.approx(astuple(expected.sums[key]), rel=1e-9, abs=1e-9), key


def test_the_rarest_values_are_one(lake_url: str) -> None:
    """The tenth client has one user, the ninth two, and so on."""
    clients = [f"client-{number}" for number in range(10) for _ in range(10 - number)]
    fill(lake_url, [request_row(str(n), unit=n, client=client) for n, client in enumerate(clients)])
    found = collect_by_dimension(lake_url, "exp", START, [REQUESTS], ["client"], now=datetime.now(UTC))
    users = {each.value: each.evidence.units["control"] for each in found.segments}
    assert users == {**{f"client-{number}": 10 - number for number in range(MOST_VALUES)}, OTHERS: 3}


def test_several_dimensions_are_read_side_by_side(lake_url: str) -> None:
    fill(lake_url, [request_row("a", stream=True), request_row("b", unit=2, edge="far", variant="new")])
    found = collect_by_dimension(lake_url, "exp", START, [REQUESTS], ["edge", "stream"], now=datetime.now(UTC))
    users = [(each.dimension, each.value, dict(each.evidence.units)) for each in found.segments]
    assert users == [
        ("edge", "far", {"new": 1}),
        ("edge", "local", {"control": 1}),
        ("stream", NOT_TOLD, {"new": 1}),
        ("stream", "true", {"control": 1}),
    ]
    assert found.requests == {"control": 1, "new": 1}
