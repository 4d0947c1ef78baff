"""What docs must name: every setting and every direct dependency."""

import re
import tomllib
from pathlib import Path

from controlplane.settings.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`(SLUICE_[A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert documented == {f"SLUICE_{name.upper()}" for name in Environment.model_fields}


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[~=]", requirement)[0] for requirement in project["dependencies"]}
    justified = set(re.findall(r"^\| ([a-z0-9-]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))
    assert justified - {"package"} == declared
    assert len(declared) <= 26


def test_no_registry_host_is_named() -> None:
    hosts = re.compile("pypi" + r"\.org|pythonhosted|npm" + r"js\.org|debian" + r"\.org|index-" + "url")
    suspects = [
        ROOT / "constraints.txt",
        ROOT / "pyproject.toml",
        ROOT / "Makefile",
        *ROOT.glob("docs/**/*.md"),
    ]
    assert [path.name for path in suspects if hosts.search(path.read_text())] == []
