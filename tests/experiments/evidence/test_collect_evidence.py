"""Evidence from the lake equals a plain computation over the same rows."""

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.problems.errors import InvalidInput, Unavailable
from experiments.evidence import LakeVersion, MetricDefinition, collect_evidence
from experiments.stats.core.types import Evidence, MetricType, UnitSums
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import assert_same, fill
from tests.factories.rows import START, outcome_row, request_row, store

pytestmark = pytest.mark.slow

Row = dict[str, Any]
SATISFIED = MetricDefinition("satisfied", MetricType.MEAN, "outcome_count(thumbs_up)")


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def satisfied(lake_url: str) -> dict[str, float]:
    found = collect_evidence(lake_url, "exp", START, [SATISFIED]).evidence
    return {variant: sums.sum_y for (_, variant), sums in found.sums.items()}


@events.drawn(25)
@given(st.lists(events.REQUESTS, max_size=40), st.lists(events.OUTCOMES, max_size=15))
def test_the_same_as_by_hand(requests: list[Row], outcomes: list[Row]) -> None:
    expected, in_two_arms = reference.evidence(requests, outcomes, "exp", START, events.METRICS)
    with tempfile.TemporaryDirectory() as directory:
        found = collect_evidence(fill(directory, requests, outcomes), "exp", START, events.METRICS)
    assert_same(found.evidence, expected)
    assert found.units_in_two_arms == in_two_arms


@events.drawn(10)
@given(st.lists(events.REQUESTS, min_size=1, max_size=40))
def test_requests_and_the_newest_time(requests: list[Row]) -> None:
    counted = reference.measured(requests, "exp", START)
    arms = reference.arms_of(counted)
    with tempfile.TemporaryDirectory() as directory:
        found = collect_evidence(fill(directory, requests), "exp", START, [])
    assert found.requests == Counter(row["variant"] for row in counted if len(arms[row["unit"]]) == 1)
    times = [datetime.fromisoformat(row["time"]) for row in counted]
    assert found.last_time == max(times, default=None)


def test_a_status_of_a_fallback_is_no_word_of_the_backend(lake_url: str) -> None:
    """Rows of a release that kept no result: the request failed once, as its backend did not answer it."""
    fill(lake_url, [request_row("a", status=404, backend="new", answered_by="old", result=None)])
    metrics = [MetricDefinition(name, MetricType.RATIO, name, "requests") for name in ("errors", "client_errors")]
    sums = collect_evidence(lake_url, "exp", START, metrics).evidence.sums
    assert [sums[name, "control"].sum_y for name in ("errors", "client_errors")] == [1.0, 0.0]


def test_a_lake_that_does_not_exist_is_empty(lake_url: str) -> None:
    found = collect_evidence(lake_url, "exp", START, events.METRICS)
    assert found.evidence == Evidence({}, {})
    assert found.lake == LakeVersion(-1, -1)
    assert (found.units_in_two_arms, found.last_time) == (0, None)


def test_requests_without_a_table_of_outcomes(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("a")])
    assert satisfied(lake_url) == {"control": 0.0}


def test_an_outcome_with_request_and_unit_counts_once(lake_url: str) -> None:
    requests = [request_row("a"), request_row("b", unit=1)]
    fill(lake_url, requests, [outcome_row("o", unit=1, request_id="a", time=at(1))])
    assert satisfied(lake_url) == {"control": 1.0}


def test_an_outcome_of_a_request_belongs_to_its_unit_whatever_else_it_says(lake_url: str) -> None:
    requests = [request_row("a", unit=1), request_row("b", unit=2, variant="candidate")]
    fill(lake_url, requests, [outcome_row("o", unit=2, request_id="a", time=at(1))])
    assert satisfied(lake_url) == {"control": 1.0, "candidate": 0.0}


def test_an_outcome_of_a_request_that_does_not_count_does_not_count_for_its_unit(lake_url: str) -> None:
    requests = [request_row("a"), request_row("forced", forced=True, variant="candidate")]
    fill(lake_url, requests, [outcome_row("o", unit=1, request_id="forced", time=at(1))])
    assert satisfied(lake_url) == {"control": 0.0}


@pytest.mark.parametrize(("seconds", "counted"), [(9.9, 0.0), (10, 1.0), (99999, 1.0)])
def test_an_outcome_of_a_unit_counts_from_its_first_request_on(lake_url: str, seconds: float, counted: float) -> None:
    requests = [request_row("a", time=at(20)), request_row("b", time=at(10)), request_row("c", time=at(5), unit=2)]
    fill(lake_url, requests, [outcome_row("o", time=at(seconds))])
    assert satisfied(lake_url) == {"control": counted}


def test_a_request_id_seen_twice_does_not_double_its_outcome(lake_url: str) -> None:
    fill(lake_url, [request_row("a"), request_row("a")], [outcome_row("o", unit=None, request_id="a")])
    assert satisfied(lake_url) == {"control": 1.0}


def test_a_unit_in_two_arms_is_left_out_with_its_outcomes(lake_url: str) -> None:
    requests = [request_row("a"), request_row("b", variant="candidate"), request_row("c", unit=2)]
    fill(lake_url, requests, [outcome_row("o", time=at(1)), outcome_row("p", unit=None, request_id="a")])
    found = collect_evidence(lake_url, "exp", START, [SATISFIED])
    assert (found.units_in_two_arms, dict(found.evidence.units)) == (1, {"control": 1})
    assert found.evidence.sums == {("satisfied", "control"): UnitSums(1, 0.0, 1.0, 0.0, 1.0, 0.0)}


def test_hashes_at_the_ends_of_the_range_stay_apart(lake_url: str) -> None:
    units = [-(2**63), -(2**63) + 1, 2**63 - 1, 2**63 - 2]
    fill(lake_url, [request_row(str(unit), unit=unit) for unit in units])
    assert dict(collect_evidence(lake_url, "exp", START, []).evidence.units) == {"control": 4}


def test_a_start_in_the_past_days_reads_all_of_them(lake_url: str) -> None:
    requests = [request_row(str(day), unit=day, time=(START + timedelta(days=day)).isoformat()) for day in range(-2, 3)]
    fill(lake_url, requests)
    assert dict(collect_evidence(lake_url, "exp", START, []).evidence.units) == {"control": 3}
    assert dict(collect_evidence(lake_url, "exp", START - timedelta(days=1), []).evidence.units) == {"control": 4}


def test_a_lake_that_cannot_be_read_says_so(lake_url: str) -> None:
    delta = store(lake_url, OUTCOMES, [outcome_row("o")])
    store(lake_url, REQUESTS, [request_row("a")])
    delta.delete()
    delta.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    with pytest.raises(Unavailable) as raised:
        collect_evidence(lake_url, "exp", START, [SATISFIED], as_of=LakeVersion(1, 1))
    assert raised.value.code == "lake-unavailable"


def test_a_version_that_never_was_is_refused(lake_url: str) -> None:
    store(lake_url, REQUESTS, [request_row("a")])
    with pytest.raises(InvalidInput) as raised:
        collect_evidence(lake_url, "exp", START, [SATISFIED], as_of=LakeVersion(99, -1))
    assert raised.value.code == "lake-version-unknown"
