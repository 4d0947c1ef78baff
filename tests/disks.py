"""A disk so small that it can be filled to its last byte."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PIECES = (1 << 20, 1 << 12, 1)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size at `folder`, until the block ends; only root may have one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until not one byte is free; returns the file that holds it all. May be repeated."""
    path = folder / "everything-else"
    with path.open("ab", buffering=0) as file:
        for piece in PIECES:
            while True:
                try:
                    file.write(bytes(piece))
                except OSError:
                    break
    return path


def free_bytes(folder: Path) -> int:
    """What is left of the disk."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
