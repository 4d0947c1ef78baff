"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from controlplane.models import Role
from tests.connections import environment, using_redis
from tests.migrated import copy_into, server_url, template_on
from tests.servers.processes import RunningValkey, run_valkey
from tests.visitors.callers import Caller, caller


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: what is compressed may hold its second, and all workers must collect alike."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is there already; PostgreSQL copies its template."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The tests' database begins as a copy of one that is migrated."""
    server = server_url()
    if server is None:
        path = tmp_path_factory.mktemp("database") / "sluice.sqlite3"
        copy_into(path)
        connection.settings_dict["TEST"]["NAME"] = str(path)
    else:
        connection.settings_dict["TEST"]["TEMPLATE"] = template_on(server)


@pytest.fixture(scope="module")
def module_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around all tests of a module: each finds what its fixtures wrote, and undoes its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def session_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    """One server for all tests that leave it as it was but for its data."""
    with run_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def redis_server(session_valkey: RunningValkey) -> Iterator[redis.Redis]:
    """A real Valkey, empty, behind everything that asks for Redis; without it there is none."""
    with using_redis(session_valkey) as client:
        client.flushall()
        yield client


@pytest.fixture
def own_lake(tmp_path: Path) -> Iterator[str]:
    """An empty lake that everything in this process reads."""
    url = str(tmp_path / "lake")
    with environment(lake_url=url):
        yield url


@pytest.fixture
def stranger() -> Caller:
    return caller(None)


@pytest.fixture
def viewer(db: None) -> Caller:
    return caller(Role.VIEWER)


@pytest.fixture
def sender(db: None) -> Caller:
    return caller(Role.SENDER)


@pytest.fixture
def reporter(db: None) -> Caller:
    return caller(Role.REPORTER)


@pytest.fixture
def operator(db: None) -> Caller:
    """Who operates Sluice: an approver."""
    return caller(Role.APPROVER)


@pytest.fixture
def admin(db: None) -> Caller:
    return caller(Role.ADMIN)
