"""Endpoints from before layers keep their salts, so that no user moves."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.old_databases import insert, migrate

BEFORE = "0004_switches"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of its own, as it was before layers, with two endpoints."""
    path = tmp_path / "old.sqlite3"
    migrate(path, BEFORE)
    with closing(sqlite3.connect(path)) as connection:
        backend = insert(connection, "routing_backend", key="b", name="b", protocol="openai", addresses="[]")
        for key in ("chat", "search"):
            place = {"path_prefix": f"/{key}", "salt": f"salt of {key}", "backend_id": backend, "unit_source": "header"}
            insert(connection, "routing_endpoint", key=key, name=key, **place)
        yield connection


def test_the_migration_moves_nobody(database: sqlite3.Connection, tmp_path: Path) -> None:
    salts = [("chat", "salt of chat"), ("search", "salt of search")]

    migrate(tmp_path / "old.sqlite3", "0007_salts_in_layers")

    join = "FROM routing_endpoint e JOIN routing_layer l ON e.layer_id = l.id ORDER BY e.key"
    assert database.execute(f"SELECT e.key, l.salt {join}").fetchall() == salts
    migrate(tmp_path / "old.sqlite3", BEFORE)
    assert database.execute("SELECT key, salt FROM routing_endpoint ORDER BY key").fetchall() == salts
