"""The pipelines in examples/ci do what they say: their shell steps, run against a live Sluice."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.client.live import Command
from tests.visitors.website import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples/ci"
STEPS: list[dict[str, str]] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"]["release"]["steps"]
JOB: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())["release-model"]
INSTALL = STEPS[0]["run"]
ON_GITHUB = "\n".join(step["run"] for step in STEPS if "if" not in step)
WHEN_CANCELLED = "\n".join(step["run"] for step in STEPS if step.get("if") == "cancelled()")
ON_GITLAB = "\n".join(JOB["script"])
AFTER = "\n".join(JOB["after_script"])


def runner(sluice: Command, directory: Path, experiment: str) -> dict[str, str]:
    """What a step finds in its environment; what pip installs is this folder's, and needs no registry."""
    installed, python = directory / "installed", Path(sys.executable).parent
    pip = {"PIP_TARGET": f"{installed}", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    own = {"PATH": f"{installed / 'bin'}:{python}:{os.environ['PATH']}", "PYTHONPATH": f"{installed}", **pip}
    given = {"SLUICE_CLIENT": str(ROOT / "client"), "EXPERIMENT": experiment, "CI_PIPELINE_ID": "7"}
    github = {"GITHUB_WORKFLOW": "Release", "GITHUB_RUN_ID": "8", "GITHUB_STEP_SUMMARY": f"{directory / 'sluice.md'}"}
    return {**sluice.environment, **own, **given, **github}


def started(script: str, environment: dict[str, str], directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["bash", "-e", "-c", script], env=environment, cwd=directory)


@pytest.mark.parametrize(
    ("script", "experiment", "verb", "code"), [(ON_GITHUB, "github", "promote", 0), (ON_GITLAB, "gitlab", "halt", 1)]
)
def test_a_pipeline_ends_as_its_experiment_does(
    sluice: Command, tmp_path: Path, script: str, experiment: str, verb: str, code: int
) -> None:
    pipeline = started(script, runner(sluice, tmp_path, experiment), tmp_path)
    wait_until(lambda: sluice.run("status", experiment, "--json").json["state"] == "running" or pipeline.poll())
    assert pipeline.poll() is None
    assert sluice.run(verb, experiment, "--reason", "seen enough").code == 0
    assert pipeline.wait() == code
    assert "seen enough" in (tmp_path / "sluice.md").read_text()
    assert (tmp_path / "sluice.xml").read_text().startswith("<?xml")


def test_a_pipeline_that_is_cancelled_takes_its_candidate_back(sluice: Command, tmp_path: Path) -> None:
    for number, script in enumerate((WHEN_CANCELLED, AFTER)):
        experiment = f"cancelled-{number}"
        directory = tmp_path / experiment
        directory.mkdir()
        environment = {**runner(sluice, directory, experiment), "CI_JOB_STATUS": "canceled"}
        assert started(f"{INSTALL}\n{script}", environment, directory).wait() == 0
        assert sluice.run("gate", experiment).code == 1


def test_no_verdict_breaks_no_pipeline_of_gitlab() -> None:
    assert JOB["allow_failure"] == {"exit_codes": [2]}
