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
    of_server, of_client = (ROOT / "docs/dependencies.md").read_text().split("## The client")
    assert justified(of_server) == declared("pyproject.toml")
    assert justified(of_client) == declared("client/pyproject.toml")
    assert len(declared("pyproject.toml")) <= 28


def declared(file: str) -> set[str]:
    project = tomllib.loads((ROOT / file).read_text())["project"]
    return {re.split(r"[\[~=]", requirement)[0] for requirement in project["dependencies"]}


def justified(page: str) -> set[str]:
    return set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"}


def test_no_registry_host_is_named() -> None:
    hosts = re.compile("pypi" + r"\.org|pythonhosted|npm" + r"js\.org|debian" + r"\.org|index-" + "url")
    suspects = [
        ROOT / "constraints.txt",
        ROOT / "pyproject.toml",
        ROOT / "Makefile",
        *ROOT.glob("docs/**/*.md"),
    ]
    assert [path.name for path in suspects if hosts.search(path.read_text())] == []
