"""Lists, which come in pieces."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from sluice.connection import Connection, Query

MOST = 500


def pieces(connection: Connection, path: str) -> Iterator[Mapping[str, Any]]:
    """All pieces of a list, as they were answered. Raises `Refused` and `Unreachable`."""
    query: Query = {"limit": MOST}
    while True:
        content = connection.call("GET", path, query=query).content
        yield content
        following = content.get("next")
        if following is None:
            return
        query = {"limit": MOST, "cursor": httpx.URL(following).params["cursor"]}
