"""`sluice doctor` against a live Sluice: what is wrong, with what to do, and an exit code that a script can go by."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sluice.connection import Connection
from sluice.examination import examine
from tests.client.live import Command, token_of
from tests.servers.processes import free_port
from tests.visitors.website import ROOT, Website

pytestmark = pytest.mark.slow

SILENT_EDGE = """
import django
django.setup()
from routing.models import Edge
Edge.objects.create(name="far", seen_at="2026-01-01T00:00:00Z")
"""


def test_what_is_wrong_is_said_with_what_to_do(website: Website, sluice: Command) -> None:
    alone = sluice.run("doctor", "--json")
    found = {finding["code"] for part in alone.json["parts"] for finding in part["findings"]}
    assert (alone.code, alone.json["sound"]) == (1, False)
    assert found >= {"no-edge"}

    subprocess.run([sys.executable, "-c", SILENT_EDGE], cwd=ROOT, env=website.environment, check=True)
    ran = sluice.run("doctor")
    assert ran.code == 1
    assert "edge far: " in ran.out
    assert "(edge-silent)" in ran.out
    assert "(no-edge)" not in ran.out
    assert "    Check that its machine and its agent run" in ran.out


def test_one_that_is_away_is_not_measured_and_a_wrong_token_is_wrong_use(sluice: Command) -> None:
    away = Command({**sluice.environment, "SLUICE_URL": f"http://127.0.0.1:{free_port()}"}).run("doctor")
    assert (away.code, "(unreachable)" in away.err) == (3, True)
    assert sluice.run("doctor", SLUICE_TOKEN="slc_wrong").code == 4


@pytest.mark.parametrize(("seconds", "said"), [(-10, ""), (10, ""), (-3600, "behind"), (3600, "ahead of")])
def test_clocks_that_differ_are_said(website: Website, seconds: int, said: str) -> None:
    connection = Connection(website.address, token_of(website))
    web, *_ = examine(connection, lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    connection.close()
    assert [f" {said} the server's" in finding.detail for finding in web.findings] == ([True] if said else [])
