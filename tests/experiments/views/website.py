"""The web app as `make run` serves it, with an operator, an endpoint, two backends and an experiment with results."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controlplane.web_client import answers
from tests.servers import free_port, run_valkey, stopping
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
NAME, PASSWORD = "olga", "a good long one"
FILL = f"""
import django
django.setup()
from controlplane.models import Role, User
from tests.experiments.views.findings import found, measured, running
User.objects.create_user({NAME!r}, password={PASSWORD!r}, role=Role.OPERATOR)
measured(running("measured", traffic=10), found())
"""


@contextmanager
def run_website(directory: Path, fill: str = FILL) -> Iterator[str]:
    """Serve a fresh database in `directory`, which the program `fill` fills; yields the address."""
    port = free_port()
    with run_valkey(directory / "valkey") as valkey:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "controlplane.settings.django",
            "SLUICE_DATA_DIRECTORY": str(directory),
            "SLUICE_REDIS_URL": valkey.url,
        }
        for arguments in (["manage.py", "migrate", "--verbosity", "0"], ["-c", fill]):
            subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, env=environment)
        serve = [sys.executable, "-m", "gunicorn", "controlplane.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
        with stopping(subprocess.Popen(serve, cwd=ROOT, env=environment)):
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{address}/login"))
            yield address
