"""Evidence since later starts: at each, what there were if the experiment had begun then."""

import tempfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import Evidence, MetricType
from experiments.stats.metrics.windows import Window
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import assert_same, fill
from tests.factories.rows import START, outcome_row, request_row

pytestmark = pytest.mark.slow

Row = dict[str, Any]
NOW = START + timedelta(days=1)
MOMENTS = st.lists(st.integers(0, 120).map(lambda seconds: START + timedelta(seconds=seconds)), max_size=12)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def since(lake: str, metrics: list[MetricDefinition], *seconds: float) -> tuple[Evidence, ...]:
    starts = [START + timedelta(seconds=each) for each in seconds]
    return collect_evidence(lake, "exp", START, metrics, now=NOW, starts=starts).since


@events.drawn(12)
@given(st.lists(events.REQUESTS, max_size=40), st.lists(events.OUTCOMES, max_size=15), MOMENTS)
def test_it_is_that_of_an_experiment_that_began_then(
    requests: list[Row], outcomes: list[Row], starts: list[datetime]
) -> None:
    arms = reference.arms_of(reference.measured(requests, "exp", START))
    # An id is one request's, of one unit; it may be there twice.
    owners = {row["request_id"]: row["unit"] for row in requests}
    requests = [
        row for row in requests if len(arms.get(row["unit"], ())) < 2 and owners[row["request_id"]] == row["unit"]
    ]
    with tempfile.TemporaryDirectory() as directory:
        fill(directory, requests, outcomes)
        found = collect_evidence(directory, "exp", START, events.METRICS, now=NOW, starts=starts).since
    assert len(found) == len(starts)
    for start, evidence in zip(starts, found, strict=True):
        assert_same(evidence, reference.evidence(requests, outcomes, "exp", start, events.METRICS)[0])


def test_a_unit_counts_with_what_it_did_since(lake_url: str) -> None:
    times = {"early": (0, 10), "both": (0, 50), "late": (50, 55)}
    fill(
        lake_url,
        [
            request_row(f"{name}-{second}", unit=unit, time=at(second), status=500 if second < 40 else 200)
            for unit, (name, seconds) in enumerate(times.items())
            for second in seconds
        ],
    )
    failures = MetricDefinition("failures", MetricType.RATIO, "errors", "requests")
    whole, later, never = since(lake_url, [failures], 0, 40, 100)
    assert (whole.units["control"], later.units["control"], never.units.get("control", 0)) == (3, 2, 0)
    sums = later.sums["failures", "control"]
    assert (sums.units, sums.sum_y, sums.sum_d, sums.sum_dd) == (2, 0.0, 3.0, 5.0)
    assert ("failures", "control") not in never.sums


def test_whoever_was_seen_in_two_arms_before_is_left_out_since(lake_url: str) -> None:
    rows = [(0, "control"), (5, "better"), (60, "better")]
    fill(lake_url, [request_row(str(second), unit=1, time=at(second), variant=arm) for second, arm in rows])
    [found] = since(lake_url, [], 50)
    assert found.units == {}


def test_a_window_counts_those_who_came_since(lake_url: str) -> None:
    window = MetricDefinition("kept", MetricType.PROPORTION, "outcome(kept)", window=Window(0.0, 60.0))
    fill(
        lake_url,
        [request_row(str(unit), unit=unit, time=at(30 * unit)) for unit in range(4)],
        [outcome_row(str(unit), unit=unit, time=at(30 * unit + 10), name="kept", value=1.0) for unit in range(4)],
    )
    [found] = since(lake_url, [window], 45)
    assert found.sums["kept", "control"].units == 2


@pytest.mark.parametrize("count", [0, 1, 60])
def test_it_is_asked_for_as_often_as_wanted(lake_url: str, count: int) -> None:
    fill(lake_url, [request_row(str(second), unit=second, time=at(second)) for second in range(60)])
    found = since(lake_url, [], *range(count))
    assert [evidence.units["control"] for evidence in found] == list(range(60, 60 - count, -1))
