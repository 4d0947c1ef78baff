"""SQLite's file holds hashes of passwords and tokens, and whoever may read it may try them."""

from pathlib import Path

import dj_database_url

OWNER_ALONE = 0o600
SIDE_FILES = ("", "-wal", "-shm")


def keep_private(database_url: str) -> None:
    """Have SQLite's file, and those beside it, be its owner's alone; made empty where it is not there yet."""
    found = dj_database_url.parse(database_url)
    if not found["ENGINE"].endswith("sqlite3"):
        return
    path = Path(str(found["NAME"]))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=OWNER_ALONE)
    for side in SIDE_FILES:
        file = path.with_name(path.name + side)
        if file.exists():
            file.chmod(OWNER_ALONE)
