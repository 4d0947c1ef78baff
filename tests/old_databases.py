"""Databases as an earlier release left them, brought to the present one as an installation does."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def migrate(path: Path, to: str, app: str = "routing") -> None:
    """Bring the database to a migration of an app, as an installation does."""
    command = [sys.executable, "manage.py", "migrate", app, to, "--verbosity", "0"]
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
