"""What came to an endpoint lately, and what of it cannot be measured."""

from datetime import timedelta

import pytest

from routing.lake.endpoint_traffic import endpoint_traffic
from routing.lake.schema import REQUESTS
from tests.factories.rows import START, request_row, store

pytestmark = pytest.mark.slow


def test_requests_are_counted_by_how_they_ended_and_by_why_they_have_no_unit(lake_url: str) -> None:
    rows = [
        request_row("a", result="success"),
        request_row("b", result="success", unreadable="prompt_tokens,queue_ms"),
        request_row("c", result="failed", failure="unfinished"),
        request_row("d", result="success", unit=None, without_unit="not-json", experiment=None, variant=None),
        request_row("forced", result="success", forced=True),
        request_row("shadow", result="success", shadow=True),
        request_row("elsewhere", result="success", endpoint="other"),
        request_row("before", result="success", time=(START - timedelta(seconds=1)).isoformat()),
    ]
    store(lake_url, REQUESTS, rows)

    found = endpoint_traffic(lake_url, "chat", START)

    assert found.requests == 4
    assert found.results == {"success": 3, "failed": 1}
    assert found.failures == {"unfinished": 1}
    assert (found.without_unit, found.share_without_unit) == ({"not-json": 1}, 0.25)
    assert found.unreadable == {"prompt_tokens": 1, "queue_ms": 1}


def test_an_endpoint_without_requests_has_a_share_of_none(lake_url: str) -> None:
    found = endpoint_traffic(lake_url, "chat", START)

    assert (found.requests, found.share_without_unit) == (0, 0.0)


def test_what_is_kept_of_a_share_is_scaled_up(lake_url: str) -> None:
    outside = {"result": "success", "experiment": None, "variant": None, "kept_share": 0.25}
    rows = [request_row(f"kept-{number}", **outside) for number in range(3)]
    store(lake_url, REQUESTS, [*rows, request_row("measured", result="failed", failure="unfinished")])

    found = endpoint_traffic(lake_url, "chat", START)

    assert (found.requests, found.results) == (13, {"success": 12, "failed": 1})
