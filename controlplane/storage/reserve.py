"""Disk space that is set aside, so that what must be written can be when the disk is full."""

import os
import shutil
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from controlplane.settings import get_environment

# Setting space aside must not be what fills the disk.
PLENTY = 3


class Reserve:
    """A file of a size that holds nothing. It is emptied when the space is needed, and filled when there is plenty."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def keep(self) -> bool:
        """Set the space aside unless it is; whether it is now. Raises nothing: there may be too little room."""
        if self._held() >= self._size:
            return True
        if self._free() < PLENTY * self._size:
            return False
        try:
            with self._path.open("ab") as file:
                self._path.chmod(0o600)
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()
        return self._held() >= self._size

    def release(self) -> bool:
        """Give the space back to the disk; False when there was none."""
        held = self._held()
        if held:
            os.truncate(self._path, 0)
        return held > 0

    def release_when_full(self) -> bool:
        """Give the space back if the disk has less left than that; False when nothing was given."""
        return self.disk_is_full() and self.release()

    def disk_is_full(self) -> bool:
        """Whether the disk has less room left than what is set aside here."""
        return self._free() < self._size

    def given_since(self) -> datetime | None:
        """Since when the space is given back; None while it is held, or was never set aside."""
        if not self._path.exists() or self._held() >= self._size:
            return None
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def _held(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _free(self) -> int:
        """What nobody can tell is no reason to do anything."""
        try:
            return shutil.disk_usage(self._path.parent).free
        except OSError:
            return sys.maxsize


@cache
def get_reserve() -> Reserve:
    """The reserve of the data folder."""
    environment = get_environment()
    return Reserve(environment.data_directory / "reserve", environment.reserve_megabytes << 20)
