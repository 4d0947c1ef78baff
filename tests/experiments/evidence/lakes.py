"""Small lakes, and comparing evidence whose sums were added in another order."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import pytest

from experiments.stats.core.types import Evidence
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.factories.rows import store


def fill(lake_url: str, requests: Sequence[dict[str, Any]], outcomes: Sequence[dict[str, Any]] = ()) -> str:
    """Store requests in two commits and outcomes in one."""
    half = len(requests) // 2
    for part in (requests[:half], requests[half:]):
        store(lake_url, REQUESTS, part)
    store(lake_url, OUTCOMES, outcomes)
    return lake_url


def assert_same(found: Evidence, expected: Evidence) -> None:
    """Equal counts, and sums equal up to the order of addition."""
    assert dict(found.units) == dict(expected.units)
    assert found.sums.keys() == expected.sums.keys()
    assert dict(found.heavy) == dict(expected.heavy)
    for key, sums in expected.sums.items():
        assert astuple(found.sums[key]) == pytest.approx(astuple(sums), rel=1e-9, abs=1e-9), key
