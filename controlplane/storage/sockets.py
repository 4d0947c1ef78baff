"""The folder of sockets: a system bounds the length of their paths, however deep the data lie."""

import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from controlplane.problems.errors import Unavailable

# The least that a system takes: macOS has 104 bytes with the one that ends the path, Linux 108.
LONGEST_PATH = 103

# supervisord binds this name first, with its process id, and renames it.
LONGEST_NAME = "/supervisord.sock.4194304"

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def socket_directory(data_directory: Path) -> Path:
    """The data folder where its sockets' paths fit, else one for it alone in the system's folder of temporary files.

    Raises `Unavailable` when others may write to that one.
    """
    if len(os.fsencode(data_directory)) + len(LONGEST_NAME) <= LONGEST_PATH:
        return data_directory
    directory = Path(tempfile.gettempdir()) / f"sluice-{sha256(os.fsencode(data_directory)).hexdigest()[:16]}"
    directory.mkdir(mode=0o700, exist_ok=True)
    _refuse_shared(directory)
    return directory


def _refuse_shared(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & OTHERS:
        raise Unavailable(
            "sockets-not-private",
            f"The folder {directory} for Sluice's sockets is open to other accounts.",
            next_step="Remove it, or choose a shorter path for the data folder with SLUICE_DATA_DIRECTORY.",
        )
