"""A folder in memory for what an edge must be able to write when its disk is full.

Envoy reads a file anew when another is moved into its place. So what lies in memory has a symbolic link at the place
that Envoy knows, which takes no room on a disk, and a new one is moved there.
"""

import os
import secrets
from pathlib import Path
from tempfile import mkdtemp

from controlplane.settings import get_environment


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
    known = edge / "memory"
    if known.is_dir() and known.stat().st_uid == os.getuid():
        return known.readlink()
    folder = Path(mkdtemp(prefix="sluice-edge-", dir=get_environment().edge_memory_directory))
    link(known, folder)
    return folder


def link(path: Path, target: Path) -> None:
    """Put a symbolic link in the place of what is there, in one step. Raises `OSError`."""
    partial = path.with_name(f".{path.name}.link")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.rename(path)
