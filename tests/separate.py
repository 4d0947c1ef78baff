"""Code in a process and a database of its own: what tests do within a transaction shows no race and no lock."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.migrated import new_database


def run_apart(module: str, *words: str, folder: Path, **settings: str) -> Any:
    """Run a module, which prints JSON as its last line, with `SLUICE_` settings of its own; returns what it printed."""
    own = {"SLUICE_DATA_DIRECTORY": str(folder), "SLUICE_DATABASE_URL": new_database(folder)} | settings
    environment = {**os.environ, **own}
    ended = subprocess.run(
        [sys.executable, "-m", module, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def set_up() -> None:
    """Django, in such a process."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "controlplane.settings.django"
    django.setup()
