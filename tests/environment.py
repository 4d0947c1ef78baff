"""Settings of the tests, loaded before Django's: nothing of them touches an installation on this machine."""

import functools
import os
import tempfile
from pathlib import Path

import hypothesis
from httpx._config import DEFAULT_TIMEOUT_CONFIG, create_ssl_context
from httpx._transports import default as httpx_transport

from tests.waiting import PATIENCE_SECONDS

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

# No result may depend on how fast the machine is: a client waits for its answer, and an example may take its time.
for part in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, part, PATIENCE_SECONDS)
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# Reading all certificate authorities anew for each request takes longer than most requests.
httpx_transport.__dict__["create_ssl_context"] = functools.cache(create_ssl_context)
