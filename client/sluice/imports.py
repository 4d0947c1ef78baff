"""Sending a file of outcomes in parts, as a request holds 2.5 MiB."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import sleep
from typing import Any, BinaryIO

from sluice.connection import Connection
from sluice.problems import Unreachable, WrongUse

PART_BYTES = 2_000_000
LOOK_AGAIN_SECONDS = 0.5
MOST_TRIES = 60

Import = Mapping[str, Any]
Told = Callable[[Import], None]


def unheard(_: Import) -> None:
    """Nobody wants to hear how far it is."""


def import_file(connection: Connection, file: Path, told: Told) -> Import:
    """Send it, and follow it until its rows are in. Raises `OSError`, `Refused`, `Unreachable` and `WrongUse`."""
    body = {"name": file.name, "size": file.stat().st_size}
    with file.open("rb") as content:
        found: Import = connection.write("event-imports", body=body).content
        lost = 0
        while found["state"] not in {"done", "failed"}:
            try:
                found = _next(connection, found, content, asked=lost > 0)
                lost = 0
                told(found)
            except Unreachable:
                lost += 1
                if lost > MOST_TRIES:
                    raise
                sleep(LOOK_AGAIN_SECONDS * 2)
    return found


def _next(connection: Connection, found: Import, content: BinaryIO, *, asked: bool) -> Import:
    """Send the next part, or ask how far it is: whether the last one arrived is not known when its answer did not."""
    path = f"event-imports/{found['key']}"
    if asked or found["state"] != "receiving":
        sleep(LOOK_AGAIN_SECONDS)
        return _import(connection.call("GET", path).content)
    content.seek(found["received"])
    part = content.read(PART_BYTES)
    if not part:
        raise WrongUse("file-shorter", "The file became shorter while it was sent.", "Send it once it is written.")
    place = {"offset": found["received"]}
    return _import(connection.call("PUT", f"{path}/content", content=part, query=place).content)


def _import(content: Any) -> Import:
    found: Import = content
    return found
