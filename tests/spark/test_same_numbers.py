"""Spark finds what DuckDB finds, and what loops over rows find."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.evidence import collect_baseline, collect_evidence
from experiments.evidence.edge_units import units_by_edge
from experiments.evidence.state.carried import Carried
from tests.connections import environment
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import assert_same, fill
from tests.factories.rows import START
from tests.spark.histories import LOCAL, METRICS, NOW, OF_REQUESTS, ONE, STARTS, history, on_duckdb, on_spark

pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A history that no test changes."""
    return history(str(tmp_path_factory.mktemp("lake") / "a lake"))


def test_all_metrics_are_the_same_since_each_start(lake: str) -> None:
    found, expected = on_spark(lake, METRICS, STARTS), on_duckdb(lake, METRICS, STARTS)
    assert {key for key, _ in expected.evidence.sums} == {metric.key for metric in METRICS}
    assert_same(found.evidence, expected.evidence)
    for since, as_expected in zip(found.since, expected.since, strict=True):
        assert_same(since, as_expected)
    assert found.timings.keys() == expected.timings.keys()
    assert (found.lake, found.last_time, found.units_in_two_arms) == (
        expected.lake,
        expected.last_time,
        expected.units_in_two_arms,
    )


def test_what_ticks_carry_is_to_the_bit_what_spark_computes_from_all_rows(lake: str, tmp_path: Path) -> None:
    with environment(spark_master=LOCAL):
        carried = Carried(tmp_path / "exp.sqlite3")
        kept = collect_evidence(lake, "exp", START, OF_REQUESTS, now=NOW, starts=STARTS, carried=carried)
    assert kept == on_spark(lake, OF_REQUESTS, STARTS)


def test_an_endpoints_history_and_its_edges_are_the_same(lake: str) -> None:
    found = []
    for master in ("", LOCAL):
        with environment(spark_master=master):
            baseline = collect_baseline(lake, "chat", START - timedelta(days=1), OF_REQUESTS, now=NOW)
            found.append((baseline, units_by_edge(lake, "exp", START)))
    assert found[0] == found[1]


def test_an_older_version_stays_what_it_was(tmp_path: Path) -> None:
    lake = history(str(tmp_path), requests=60)
    first = on_spark(lake)
    history(lake, requests=60, seed=8)
    with environment(spark_master=LOCAL):
        again = collect_evidence(lake, "exp", START, ONE, now=NOW, as_of=first.lake)
    assert again == first


@settings(max_examples=2)
@given(st.lists(events.REQUESTS, max_size=40), st.lists(events.OUTCOMES, max_size=15))
def test_the_same_as_by_hand(requests: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> None:
    expected, in_two_arms = reference.evidence(requests, outcomes, "exp", START, events.METRICS)
    with tempfile.TemporaryDirectory() as directory, environment(spark_master=LOCAL):
        found = collect_evidence(fill(directory, requests, outcomes), "exp", START, events.METRICS)
    assert_same(found.evidence, expected)
    assert found.units_in_two_arms == in_two_arms
