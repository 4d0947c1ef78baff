"""Databases without a row, brought up by all migrations: each begins as a copy of one that this code has migrated."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".pytest_cache" / "migrated"
CODE = ("controlplane", "experiments", "routing")


def new_database(directory: Path) -> str:
    """The URL of a new database: of the server that the tests run on, or a file in this folder."""
    server = server_url()
    if server is None:
        path = directory / "sluice.sqlite3"
        copy_into(path)
        return f"sqlite:///{path}"
    name = f"apart_{uuid.uuid4().hex}"
    template = template_on(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return _database_on(server, name)


def server_url() -> str | None:
    """Where the PostgreSQL is that the tests run on; None where they run on SQLite."""
    url = os.environ.get("SLUICE_DATABASE_URL", "")
    return url if url.startswith("postgres") else None


def copy_into(path: Path) -> None:
    """Lay a migrated SQLite database there."""
    kept = KEPT / f"{_digest()}.sqlite3"
    KEPT.mkdir(parents=True, exist_ok=True)
    with _alone(KEPT / "lock"):
        if not kept.exists():
            for old in KEPT.glob("*.sqlite3*"):
                old.unlink()
            _migrate(f"sqlite:///{kept}.part")
            Path(f"{kept}.part").rename(kept)
        shutil.copyfile(kept, path)


@cache
def template_on(server: str) -> str:
    """The name of a migrated database on a PostgreSQL, which others are copied from."""
    name = f"migrated_{_digest()}"
    with _alone(KEPT / "lock"), psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f"CREATE DATABASE {name}".encode())
            _migrate(_database_on(server, name))
    return name


def _migrate(url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "SLUICE_DATABASE_URL": url}, check=True)


def _database_on(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@cache
def _digest() -> str:
    """It stands for all code that migrations may use."""
    found = hashlib.sha256()
    for path in sorted(path for part in CODE for path in (ROOT / part).rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
