"""What units did before an experiment: carried from tick to tick, read anew, and counted by a slow reference."""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evidence import CollectedEvidence, MetricDefinition, Past, collect_evidence
from experiments.evidence.state.carried import Carried
from experiments.stats.core.types import MetricType
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS
from tests.experiments.evidence import events, reference
from tests.factories.rows import START, request_row, store

Row = dict[str, Any]
DAYS = timedelta(days=1)
PAST = Past("chat", START - DAYS)
METRICS = (
    MetricDefinition("requests_a_user", MetricType.MEAN, "requests", past=PAST),
    MetricDefinition("cost", MetricType.MEAN, "cost", past=PAST),
    MetricDefinition("ttft", MetricType.RATIO, "ttft_ms", "count(ttft_ms)", past=PAST),
    MetricDefinition("tokens_a_cost", MetricType.RATIO, "completion_tokens", "cost", past=PAST),
    MetricDefinition("cost_of_mobile", MetricType.MEAN, "cost", conditions=("client is mobile",), past=PAST),
    MetricDefinition("error_rate", MetricType.RATIO, "errors", "requests"),
)
AROUND = st.integers(-90, 90).map(lambda seconds: at(seconds).isoformat()) | st.just((START - 2 * DAYS).isoformat())
AROUND_THE_START = st.builds(
    lambda row, time, endpoint: row | {"time": time, "endpoint": endpoint},
    events.REQUESTS,
    AROUND,
    st.sampled_from(["chat", "chat", "chat", "images"]),
)
TICKS = st.lists(st.tuples(st.lists(AROUND_THE_START, max_size=16), st.none() | st.just(1)), min_size=1, max_size=4)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def collected(lake: str, file: Path | None, starts: Sequence[datetime] = ()) -> CollectedEvidence:
    carried = None if file is None else Carried(file)
    return collect_evidence(lake, "exp", START, METRICS, now=at(200), starts=starts, carried=carried)


@pytest.mark.slow
@events.drawn(8)
@given(ticks=TICKS)
def test_after_every_batch_it_is_what_is_read_anew_and_what_a_slow_reference_counts(
    ticks: list[tuple[list[Row], int | None]],
) -> None:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        lake, file = f"{directory}/lake", Path(directory) / "exp"
        for number, (batch, erased) in enumerate(ticks):
            store(lake, REQUESTS, batch)
            rows += batch
            if erased is not None and rows:
                delta_tables.open_table(lake, REQUESTS).delete(f"unit = {erased}")
                rows = [row for row in rows if row["unit"] != erased]
            found = collected(lake, file, [at(20 * number)])
            assert found == collected(lake, None, [at(20 * number)])
            assert_counted(found, rows)


def assert_counted(found: CollectedEvidence, rows: list[Row]) -> None:
    expected = reference.covariates(rows, "exp", START, METRICS[:-1])
    told = {(metric, arm): sums for metric, arms in found.covariates.items() for arm, sums in arms.items()}
    assert told.keys() == expected.keys()
    for key, units in expected.items():
        sums = told[key]
        assert sums.units == len(units)
        assert sums.without_past == sum(x == w == 0 for _, _, x, w in units)
        assert sums.totals == pytest.approx([sum(column) for column in zip(*units, strict=True)], rel=1e-9)
        for one, products in enumerate(sums.products):
            assert products == pytest.approx([sum(u[one] * u[other] for u in units) for other in range(4)], rel=1e-9)


def fill(lake: str, *seconds: float, unit: int = 1, **fields: object) -> None:
    rows = ((f"{unit}-{second}", at(second).isoformat()) for second in seconds)
    store(lake, REQUESTS, [request_row(name, unit=unit, time=time, **fields) for name, time in rows])


def test_the_past_is_not_read_again(lake_url: str, tmp_path: Path) -> None:
    fill(lake_url, -30, -20, experiment=None, variant=None, cost=0.5)
    fill(lake_url, 1, cost=0.25)
    collected(lake_url, tmp_path / "exp")
    old = delta_tables.open_table(lake_url, REQUESTS).file_uris()
    fill(lake_url, 11, cost=0.25)
    fill(lake_url, 12, unit=2, cost=0.25)
    expected = collected(lake_url, None)
    for path in old:
        Path(path).unlink()
    found = collected(lake_url, tmp_path / "exp")
    assert found == expected
    assert (found.covariates["cost"]["control"].units, found.covariates["cost"]["control"].without_past) == (2, 1)
    assert found.covariates["cost"]["control"].totals == (0.75, 2.0, 1.0, 1.0)


def test_a_request_of_before_that_comes_late_counts(lake_url: str, tmp_path: Path) -> None:
    fill(lake_url, 1)
    assert collected(lake_url, tmp_path / "exp").covariates["requests_a_user"]["control"].without_past == 1
    fill(lake_url, -1, experiment="another", variant="better")
    assert collected(lake_url, tmp_path / "exp").covariates["requests_a_user"]["control"].totals == (1.0, 1.0, 1.0, 1.0)


def test_what_is_not_measured_or_of_another_time_or_endpoint_is_no_past(lake_url: str, tmp_path: Path) -> None:
    fill(lake_url, 1)
    others: list[Row] = [{"shadow": True}, {"forced": True}, {"endpoint": "images"}]
    for number, fields in enumerate(others):
        fill(lake_url, -10 - number, experiment=None, variant=None, **fields)
    fill(lake_url, -DAYS.total_seconds() - 1, experiment=None, variant=None)
    assert collected(lake_url, tmp_path / "exp").covariates["requests_a_user"]["control"].without_past == 1
