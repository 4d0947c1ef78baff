"""An analysis can be repeated at its lake version, whatever happened to the lake since."""

from datetime import timedelta

import pytest

from experiments.evidence import collect_evidence
from routing.lake import delta_tables
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import Retention, tidy
from tests.experiments.evidence.events import METRICS
from tests.experiments.evidence.lakes import assert_same
from tests.factories.rows import START, outcome_row, request_row, store

pytestmark = pytest.mark.slow

LONG_AFTER = START + timedelta(days=9)


def grow(lake_url: str, first: int, last: int) -> None:
    """A commit of requests and outcomes for each number."""
    for number in range(first, last):
        unit = number % 7
        variant = "candidate" if unit % 2 else "control"
        request = request_row(f"r{number}", unit=unit, variant=variant, duration_ms=number / 3, cost=number / 7)
        store(lake_url, REQUESTS, [request])
        store(lake_url, OUTCOMES, [outcome_row(f"o{number}", request_id=f"r{number}", name="sale", value=number / 9)])


def test_more_rows_merging_and_cleaning_change_nothing(lake_url: str) -> None:
    grow(lake_url, 0, 30)
    first = collect_evidence(lake_url, "exp", START, METRICS)
    grow(lake_url, 30, 40)
    for table in (REQUESTS, OUTCOMES):
        tidy(lake_url, table, Retention(), LONG_AFTER)
        assert len(delta_tables.open_table(lake_url, table).file_uris()) == 1
    again = collect_evidence(lake_url, "exp", START, METRICS, as_of=first.lake)
    assert_same(again.evidence, first.evidence)
    assert (again.lake, again.requests, again.last_time) == (first.lake, first.requests, first.last_time)


def test_merging_leaves_the_newest_evidence_as_it_is(lake_url: str) -> None:
    grow(lake_url, 0, 30)
    before = collect_evidence(lake_url, "exp", START, METRICS)
    for table in (REQUESTS, OUTCOMES):
        tidy(lake_url, table, Retention(), LONG_AFTER)
    after = collect_evidence(lake_url, "exp", START, METRICS)
    assert_same(after.evidence, before.evidence)
    assert after.lake.requests > before.lake.requests


def test_before_the_first_row_there_was_nothing(lake_url: str) -> None:
    nothing = collect_evidence(lake_url, "exp", START, METRICS)
    grow(lake_url, 0, 5)
    again = collect_evidence(lake_url, "exp", START, METRICS, as_of=nothing.lake)
    assert again == nothing
