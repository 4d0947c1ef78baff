"""Disk space is set aside while there is plenty, and given back when there is none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane.storage.reserve import Reserve
from tests.disks import fill, free_bytes, small_disk

SIZE = 4 << 20


def test_it_takes_its_room_for_real(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=64) as disk:
        before = free_bytes(disk)
        assert Reserve(disk / "reserve", SIZE).keep()
        assert before - free_bytes(disk) >= SIZE


def test_it_is_given_back_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", SIZE)
    assert not reserve.release()
    assert reserve.keep()
    assert reserve.given_since() is None
    assert reserve.release()
    assert not reserve.release()
    since = reserve.given_since()
    assert since is not None
    assert datetime.now(UTC) - since < timedelta(minutes=1)
    assert reserve.keep()
    assert reserve.given_since() is None


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    Reserve(tmp_path / "reserve", SIZE).keep()
    assert (tmp_path / "reserve").stat().st_mode & 0o777 == 0o600


def test_while_there_is_room_it_is_not_given_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", SIZE)
    reserve.keep()
    assert not reserve.disk_is_full()
    assert not reserve.release_when_full()


def test_on_a_full_disk_it_is_what_there_is(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=64) as disk:
        reserve = Reserve(disk / "reserve", SIZE)
        reserve.keep()
        filler = fill(disk)
        assert reserve.disk_is_full()
        assert reserve.release_when_full()
        assert free_bytes(disk) >= SIZE
        fill(disk)
        assert not reserve.keep()
        filler.unlink()
        assert reserve.keep()


def test_it_is_never_what_fills_the_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=8) as disk:
        assert not Reserve(disk / "reserve", SIZE).keep()
        assert free_bytes(disk) == 8 << 20


@pytest.mark.parametrize("size", [0])
def test_nobody_has_to_have_one(tmp_path: Path, size: int) -> None:
    reserve = Reserve(tmp_path / "reserve", size)
    assert reserve.keep()
    assert not reserve.disk_is_full()
    assert reserve.given_since() is None
