"""Code in a process and a database of its own: what tests do within a transaction shows no race and no lock."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg


def run_apart(module: str, *words: str, folder: Path, **settings: str) -> Any:
    """Run a module, which prints JSON as its last line, with `SLUICE_` settings of its own; returns what it printed."""
    own = {"SLUICE_DATA_DIRECTORY": str(folder), "SLUICE_DATABASE_URL": _database()} | settings
    environment = {**os.environ, **own}
    ended = subprocess.run(
        [sys.executable, "-m", module, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def set_up() -> None:
    """Django and an empty database, in such a process."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "controlplane.settings.django"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _database() -> str:
    """A new database of the server that the tests run on; empty for SQLite in the folder."""
    url = urlsplit(os.environ.get("SLUICE_DATABASE_URL", ""))
    if not url.scheme.startswith("postgres"):
        return ""
    name = f"apart_{uuid.uuid4().hex}"
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url._replace(path=f"/{name}").geturl()
