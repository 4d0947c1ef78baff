"""What edges have in memory, and what is left of it once they are gone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace

import pytest

from routing.edge.envoy.configuration import write_configuration
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.memory import leave_memory, remove_what_ended_edges_left, write_in_memory
from tests.factories.tables import make_table

WRITES = """
import sys
from pathlib import Path
from routing.edge.state.memory import write_in_memory
assert write_in_memory(Path(sys.argv[1]) / "routes.json", "{}")
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setenv("SLUICE_EDGE_MEMORY_DIRECTORY", str(folder))
    monkeypatch.setattr(
        "routing.edge.state.memory.get_environment", lambda: SimpleNamespace(edge_memory_directory=folder)
    )
    return folder


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    folder = tmp_path / "edge"
    folder.mkdir()
    return folder


@contextmanager
def writer(edge: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has written to memory, and lives until the block ends."""
    command = [sys.executable, "-c", WRITES, str(edge)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        yield process
        process.kill()


def test_a_folder_goes_once_its_edge_and_all_its_processes_are_gone(memory: Path, edge: Path) -> None:
    with writer(edge):
        rmtree(edge)
        remove_what_ended_edges_left()
        assert len(list(memory.iterdir())) == 1
    remove_what_ended_edges_left()
    assert list(memory.iterdir()) == []


def test_what_an_edge_has_that_may_come_back_stays(memory: Path, edge: Path) -> None:
    with writer(edge):
        pass
    remove_what_ended_edges_left()
    assert (edge / "routes.json").read_text() == "{}"


def test_a_folder_that_its_edge_took_another_for_goes(memory: Path, edge: Path) -> None:
    with writer(edge):
        pass
    left = (edge / "memory").readlink()
    (edge / "memory").unlink()
    with writer(edge):
        remove_what_ended_edges_left()
        assert list(memory.iterdir()) == [(edge / "memory").readlink()]
    assert not left.exists()


def test_a_folder_that_does_not_say_whose_it_is_stays(memory: Path) -> None:
    (memory / "sluice-edge-of-a-stranger").mkdir()
    (memory / "sluice-edge-made-just-now").mkdir()
    (memory / "sluice-edge-made-just-now" / "owner").touch()
    remove_what_ended_edges_left()
    assert len(list(memory.iterdir())) == 2


def test_an_edge_that_ends_in_good_order_leaves_nothing(memory: Path, edge: Path) -> None:
    directory = EdgeDirectory(edge)
    write_configuration(directory, make_table())
    assert directory.routes.is_symlink()
    leave_memory(edge, directory.written_at_starts())
    assert list(memory.iterdir()) == []
    assert not directory.routes.is_symlink()


def test_an_edge_that_ends_keeps_what_is_nowhere_else(memory: Path, edge: Path) -> None:
    directory = EdgeDirectory(edge)
    write_configuration(directory, make_table())
    assert write_in_memory(edge / "table.json.newer", "the last table")
    leave_memory(edge, directory.written_at_starts())
    assert (edge / "table.json.newer").read_text() == "the last table"
    [folder] = memory.iterdir()
    assert sorted(path.name.partition(".json")[0] for path in folder.iterdir()) == ["owner", "table"]
