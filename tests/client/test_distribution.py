"""The client's wheel: built by itself, with nothing of the server in it or behind it."""

import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.visitors.website import ROOT

pytestmark = pytest.mark.slow

IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
import sluice, sluice.commands.application
assert sluice.__file__.startswith(sys.argv[1]), sluice.__file__
server = {"django", "numpy", "controlplane", "routing", "experiments", "celery", "redis", "pyarrow"}
assert server & sys.modules.keys() == set(), server & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(build, cwd=ROOT / "client", check=True, capture_output=True)
    return next(directory.glob("*.whl"))


def test_it_asks_for_three_packages_and_brings_one_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        [entries] = [name for name in names if name.endswith("entry_points.txt")]
        needed = message_from_bytes(content.read(metadata)).get_all("Requires-Dist", [])
        assert "sluice = sluice.__main__:main" in content.read(entries).decode()
    assert {each.partition("~")[0] for each in needed} == {"httpx", "rich", "typer"}
    assert {name.partition("/")[0] for name in names} == {"sluice", Path(metadata).parent.name}
    assert "sluice/py.typed" in names


def test_importing_it_brings_nothing_of_the_server(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path)
    subprocess.run([sys.executable, "-P", "-c", IMPORT, str(tmp_path)], check=True, cwd=tmp_path)
