"""Answers byte by byte, for what a server of a library would not send."""

import json
from typing import Any

from tests.servers.broken_servers import Answer, say

# Envoy is told that the connection ends: it would send the next request over one that is about to.
CLOSING = b"connection: close\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + CLOSING
STREAM = OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def plain(body: bytes, kind: bytes = b"application/json", status: bytes = b"200 OK") -> Answer:
    head = b"HTTP/1.1 %b\r\n%bcontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return say(head % (status, CLOSING, kind, len(body)), body)


def bare(status: bytes, headers: bytes = b"") -> Answer:
    """An answer of a status without a body."""
    return say(b"HTTP/1.1 %b\r\n%b%b\r\n" % (status, CLOSING, headers))


def chunk(*events: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)


def stream(*events: bytes) -> Answer:
    return say(STREAM, chunk(*events), b"0\r\n\r\n")


def document(content: Any) -> Answer:
    """An answer of this JSON."""
    return plain(json.dumps(content).encode())


def event(content: Any, name: str = "") -> bytes:
    """An event of this JSON, or of a text that is none; named where it has a name."""
    data = content if isinstance(content, str) else json.dumps(content)
    return f"{f'event: {name}' + chr(10) if name else ''}data: {data}\n\n".encode()


def events(*contents: Any) -> Answer:
    """A stream of these events."""
    return stream(*map(event, contents))


def named_events(*contents: dict[str, Any]) -> Answer:
    """A stream of these events, each named by its type."""
    return stream(*(event(content, content["type"]) for content in contents))
