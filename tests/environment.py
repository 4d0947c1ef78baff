"""Settings of the tests, loaded before Django's: nothing of them touches an installation on this machine."""

import os
import tempfile
from pathlib import Path

DIRECTORY = Path(tempfile.mkdtemp(prefix="sluice-tests-"))
for folder in ("static", "memory"):
    (DIRECTORY / folder).mkdir()

os.environ |= {
    "SLUICE_DATA_DIRECTORY": str(DIRECTORY),
    "SLUICE_EDGE_MEMORY_DIRECTORY": str(DIRECTORY / "memory"),
    "SLUICE_REDIS_URL": "redis://127.0.0.1:1/0",
    "SLUICE_SECRET_KEY": "a key for tests alone, long enough for its purpose",
    "SLUICE_UNIT_KEY": "ab" * 32,
}
