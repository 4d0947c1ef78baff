"""Files of imports: where they lie while they arrive and until their rows are in."""

import os
from pathlib import Path

from controlplane.settings import get_environment
from routing.models import EventImport

LARGEST_FILE = 1 << 30
FOLDER = "imports"


def file_of(found: EventImport) -> Path:
    """Where the file of an import is."""
    return get_environment().data_directory / FOLDER / found.key


def write_part(found: EventImport, offset: int, part: bytes) -> None:
    """Put a part at its place, so that the same part again changes nothing. Raises `OSError`."""
    path = file_of(found)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        rest = memoryview(part)
        while rest:
            written = os.pwrite(handle, rest, offset)
            offset, rest = offset + written, rest[written:]
    finally:
        os.close(handle)


def forget_file(found: EventImport) -> None:
    """Its rows are in, or will never be."""
    file_of(found).unlink(missing_ok=True)
