"""A folder in memory for what an edge must be able to write when its disk is full.

Envoy reads a file anew when another is moved into its place. So what lies in memory has a symbolic link at the place
that Envoy knows, which takes no room on a disk, and a new one is moved there.

Each folder says whose it is, and every process that writes there holds it: what ended edges have left can be told.
"""

import os
import secrets
from collections.abc import Iterable
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from controlplane.settings import get_environment

PREFIX = "sluice-edge-"
OWNER = "owner"

# A lock on each folder that this process writes to; the system takes it back when the process ends.
_held: dict[Path, int] = {}


def write_in_memory(path: Path, content: str) -> bool:
    """Have a link at `path` to a new file in memory, in one step; False where there is no such folder, or no room."""
    try:
        folder = folder_in_memory(path.parent)
        target = folder / f"{path.name}.{secrets.token_hex(4)}"
        target.touch(mode=0o600)
        target.write_text(content, encoding="utf-8")
        before = path.readlink() if path.is_symlink() else None
        link(path, target)
    except OSError:
        return False
    if before is not None and before.parent == folder:
        before.unlink(missing_ok=True)
    return True


def folder_in_memory(edge: Path) -> Path:
    """The edge's own folder, made anew where it is gone. Raises `OSError` where there can be none."""
    known = _link_of(edge)
    if known.is_dir() and known.stat().st_uid == os.getuid():
        return _hold(known.readlink(), edge)
    folder = Path(mkdtemp(prefix=PREFIX, dir=get_environment().edge_memory_directory))
    try:
        link(known, _hold(folder, edge))
    except OSError:
        rmtree(folder, ignore_errors=True)
        raise
    return folder


def leave_memory(edge: Path, rewritten: Iterable[Path]) -> None:
    """Remove what is written anew at the next start, and the folder unless it keeps anything else."""
    known = _link_of(edge)
    if not known.is_dir():
        return
    for path in rewritten:
        if path.is_symlink():
            path.resolve().unlink(missing_ok=True)
            path.unlink()
    folder = known.readlink()
    if {path.name for path in folder.iterdir()} <= {OWNER}:
        known.unlink()
        rmtree(folder, ignore_errors=True)


def remove_what_ended_edges_left() -> None:
    """Remove the folders in memory that no process holds, and that their edges know no longer or are gone with."""
    for folder in get_environment().edge_memory_directory.glob(f"{PREFIX}*"):
        if _is_left(folder):
            rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """False also for a folder that does not say whose it is."""
    try:
        if folder.lstat().st_uid != os.getuid():
            return False
        with (folder / OWNER).open("rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            owner = os.fsdecode(file.read())
    except OSError:
        return False
    known = _link_of(Path(owner))
    return bool(owner) and not (known.is_symlink() and known.readlink() == folder)


def _hold(folder: Path, edge: Path) -> Path:
    """Say whose a folder is, and that this process uses it for as long as it lives."""
    if folder not in _held:
        descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_CREAT, mode=0o600)
        flock(descriptor, LOCK_SH)
        if not os.fstat(descriptor).st_size:
            os.write(descriptor, os.fsencode(edge.absolute()))
        _held[folder] = descriptor
    return folder


def _link_of(edge: Path) -> Path:
    return edge / "memory"


def link(path: Path, target: Path) -> None:
    """Put a symbolic link in the place of what is there, in one step. Raises `OSError`."""
    partial = path.with_name(f".{path.name}.link")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.rename(path)
