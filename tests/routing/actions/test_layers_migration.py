"""Endpoints from before layers keep their salts, so that no user moves."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
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


def migrate(path: Path, to: str) -> None:
    """Bring the database to a migration of routing, as an installation does."""
    command = [sys.executable, "manage.py", "migrate", "routing", to, "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "SLUICE_DATABASE_URL": f"sqlite:///{path}"}, check=True)


def insert(connection: sqlite3.Connection, table: str, **values: object) -> int | None:
    """Insert a row; columns that are not named get an empty value of their type."""
    for _, name, kind, required, _, primary in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if required and not primary and name not in values:
            texts = kind.startswith(("varchar", "text", "datetime"))
            values[name] = ("[]" if kind == "text" else "") if texts else 0
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" for _ in values)
    cursor = connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608
    connection.commit()
    return cursor.lastrowid


def test_the_migration_moves_nobody(database: sqlite3.Connection, tmp_path: Path) -> None:
    salts = [("chat", "salt of chat"), ("search", "salt of search")]

    migrate(tmp_path / "old.sqlite3", "0007_salts_in_layers")

    join = "FROM routing_endpoint e JOIN routing_layer l ON e.layer_id = l.id ORDER BY e.key"
    assert database.execute(f"SELECT e.key, l.salt {join}").fetchall() == salts
    migrate(tmp_path / "old.sqlite3", BEFORE)
    assert database.execute("SELECT key, salt FROM routing_endpoint ORDER BY key").fetchall() == salts
