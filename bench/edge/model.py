"""A backend that answers at once, so that what is measured is the way there.

It speaks just enough HTTP/1.1: a chat answer with usage, whole or as a stream of events.
"""

import asyncio
import json
import sys

USAGE = {"prompt_tokens": 200, "completion_tokens": 120, "total_tokens": 320}
TEXT = "The model says something that is about as long as an answer tends to be. " * 8
EVENTS = 20


class Model(asyncio.Protocol):
    """One connection; a request is complete when its body is as long as its header says."""

    def __init__(self, name: str) -> None:
        self._whole = _whole_answer(name)
        self._streamed = _streamed_answer(name)
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        if end and len(body) >= length:
            self._received = b""
            self._transport.write(self._streamed if b'"stream": true' in body else self._whole)


def _whole_answer(name: str) -> bytes:
    content = {"id": "x", "model": name, "choices": [{"message": {"content": TEXT}}], "usage": USAGE}
    body = json.dumps(content).encode()
    return _head(f"content-type: application/json\r\ncontent-length: {len(body)}") + body


def _streamed_answer(name: str) -> bytes:
    deltas = [{"model": name, "choices": [{"delta": {"content": TEXT[:30]}}]} for _ in range(EVENTS)]
    events = [json.dumps(event) for event in [*deltas, {"choices": [], "usage": USAGE}]]
    body = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()
    return _head(f"content-type: text/event-stream\r\ncontent-length: {len(body)}") + body


def _head(headers: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode()


async def main(port: int, name: str) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Model(name), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
