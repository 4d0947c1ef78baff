"""Other accounts of the machine cannot read SQLite's file, old or new, nor what it keeps beside it."""

import sqlite3
import stat
from pathlib import Path

import pytest

from controlplane.storage.private_database import keep_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_one_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "sluice.sqlite3"
    keep_private(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE words (word TEXT)")
        assert {each.name: mode(each) for each in path.parent.iterdir()} == dict.fromkeys(
            (path.name, f"{path.name}-wal", f"{path.name}-shm"), 0o600
        )
    connection.close()


def test_one_that_others_could_read_becomes_so_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "sluice.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
    connection.close()
    path.chmod(0o644)
    keep_private(f"sqlite:///{path}")
    assert mode(path) == 0o600
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (0,)
    connection.close()


def test_another_database_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keep_private("postgresql://sluice@127.0.0.1/sluice")
    assert list(tmp_path.iterdir()) == []
