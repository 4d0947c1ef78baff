"""`sluice wait`: it outlives a restart of the server, and tells the pipeline what came of it."""

import subprocess
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.client.live import Command
from tests.servers.processes import stopping
from tests.visitors.website import Website, start_app

pytestmark = pytest.mark.slow


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says beside until these words come."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"It never said {words!r}.")


def test_it_outlives_a_restart_and_reports_a_halt(
    website: Website, later_apps: ExitStack, sluice: Command, tmp_path: Path
) -> None:
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    summary.write_text("# Before\n")
    files = ("--junit", str(junit), "--summary", str(summary))
    waiting = sluice.begin("wait", "restarted", "--until", "decided", "--timeout", "1h", *files, GITHUB_ACTIONS="true")
    website.app.terminate()
    website.app.wait()
    read_until(waiting, "Trying again")
    later_apps.enter_context(stopping(start_app(website.environment)))
    read_until(waiting, "Stage 1 of 2")
    reason = "3 % worse | 100% sure\nsaid <ada>"
    assert sluice.run("halt", "restarted", "--reason", reason).code == 0
    out, _ = waiting.communicate()
    assert waiting.returncode == 1
    assert out.startswith("restarted: halted\n")
    [annotation] = [line for line in out.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=restarted%3A halted::Halted on stage 1 of 2")
    assert "3 %25 worse | 100%25 sure%0Asaid <ada>" in annotation

    suite = ET.parse(junit).getroot().find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"restarted": ["failure"], "requests-per-user": [], "error-rate": []}
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "0")

    told = summary.read_text()
    assert told.startswith("# Before\n## ❌ restarted: halted\n")
    assert r"3 % worse \| 100% sure said \<ada\>" in told
    assert "| requests-per-user | better | goal | 4 | 5 | +25.0 % | +10.0 % … +40.0 % |" in told


def test_what_takes_too_long_is_not_measured(sluice: Command, tmp_path: Path) -> None:
    late = sluice.run("wait", "slow", "--timeout", "1s", "--junit", str(tmp_path / "late.xml"))
    assert (late.code, "(timed-out)" in late.err) == (3, True)
    errors = ET.parse(tmp_path / "late.xml").getroot().findall("testsuite/testcase/error")  # noqa: S314 - our own
    assert [error.get("type") for error in errors] == ["not measured"]


def test_who_watches_hears_of_the_end(sluice: Command) -> None:
    watching = sluice.begin("status", "watched", "--watch")
    assert watching.stdout is not None
    assert "watched: undecided" in watching.stdout.readline()
    assert sluice.run("halt", "watched", "--reason", "seen enough").code == 0
    out, _ = watching.communicate()
    assert watching.returncode == 0
    assert "watched: halted" in out
