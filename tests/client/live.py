"""A live web app with experiments to command, and the real command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.visitors.website import ROOT, Website

FILL = """
import os, pathlib
import django
django.setup()
from controlplane.accounts.tokens import issue_token
from controlplane.models import Role, User
from tests.experiments.views.findings import found, measured, planned, running
from tests.factories.drafts import backend
olga = User.objects.create_user("olga", role=Role.APPROVER)
pathlib.Path(os.environ["SLUICE_DATA_DIRECTORY"], "token").write_text(issue_token(olga, "pipeline", role=Role.APPROVER))
def parts(key):
    return {"traffic": 8, "candidates": [{"key": "better", "backend": backend(f"better-{key}").key}]}
for key in ("waiting", "github", "gitlab"):
    planned(key, **parts(key))
for key in ("good", "bad", "slow", "restarted", "watched", "cancelled-0", "cancelled-1", "lost"):
    measured(running(key, **parts(key)), found())
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Command:
    """`sluice`, with an address and a token in its environment."""

    environment: dict[str, str]

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start it."""
        command = [sys.executable, "-m", "sluice", *arguments]
        options: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env={**self.environment, **environment}, **options)

    def run(self, *arguments: str, typed: str = "", **environment: str) -> Ran:
        """Run it to its end; whatever comes, it is no traceback."""
        process = self.begin(*arguments, **environment)
        out, err = process.communicate(typed)
        assert "Traceback" not in out + err
        return Ran(process.returncode, out, err)


def command_at(url: str, token: str, home: Path) -> Command:
    """The command of somebody whose own folder is `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLUICE_", "GITHUB_"))}
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": f"{ROOT / 'client'}"}
    return Command({**kept, **own, "SLUICE_URL": url, "SLUICE_TOKEN": token})


def token_of(website: Website) -> str:
    """The token of its approver."""
    return Path(website.environment["SLUICE_DATA_DIRECTORY"], "token").read_text()
