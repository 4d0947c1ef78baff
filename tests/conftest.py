"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from controlplane.models import Role
from tests.connections import using_redis
from tests.servers.processes import run_valkey
from tests.visitors.callers import Caller, caller

SLOW = (
    "routing/edge/",
    "routing/collector/",
    "routing/lake/",
    "routing/envoy/",
    "experiments/evidence/",
    "experiments/views/test_browser",
    "experiments/forecast/",
    "experiments/stats/test_covariate",
    "experiments/stats/test_d",
    "experiments/stats/test_failures",
    "experiments/stats/test_health",
    "experiments/stats/test_operating",
    "experiments/stats/test_paired",
    "experiments/stats/test_planning",
    "experiments/stats/test_quantile",
    "experiments/stats/test_second",
    "experiments/stats/test_simulation",
    "bench/",
    "backends/",
)
"""Tests that start servers or browsers, or that take much data or many runs, by where they are."""


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """A real Valkey behind everything that asks for Redis; without it there is none."""
    with run_valkey(tmp_path / "valkey") as server, using_redis(server, monkeypatch) as client:
        yield client


@pytest.fixture
def stranger() -> Caller:
    return caller(None)


@pytest.fixture
def viewer(db: None) -> Caller:
    return caller(Role.VIEWER)


@pytest.fixture
def operator(db: None) -> Caller:
    return caller(Role.OPERATOR)


@pytest.fixture
def admin(db: None) -> Caller:
    return caller(Role.ADMIN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make test` what the inner loop need not wait for."""
    for item in items:
        if any(f"tests/{place}" in item.nodeid for place in SLOW):
            item.add_marker(pytest.mark.slow)
