"""Users at an even rate, and streams beside them, in a process of its own: `python -m bench.publish.load`.

Users do not wait for each other: what is slow is seen as slow, and does not lower the rate. What came of each request
is written to a file, as three numbers: when it was sent, when it was answered, and by which of two models (0 or 1).
"""

import asyncio
import json
import sys
import time
from array import array
from collections import deque
from pathlib import Path

from bench.edge.load import Request
from bench.edge.model import TOKEN_SECONDS
from bench.edge.processes import keep_client_apart
from bench.edge.streams import TOKENS, Reader, Streams

NAMES = (b'"model": "one"', b'"model": "other"')
STREAMS = 20
CONNECTIONS = 64
TICK_SECONDS = 0.001


class Load:
    """All connections together."""

    def __init__(self, port: int) -> None:
        self.idle: deque[User] = deque()
        self.rows = array("d")
        self.failures: list[str] = []
        self.unsent = 0
        self._port = port

    async def run(self, rate: float, seconds: float) -> None:
        """Send at this rate for so long, and wait for the answers."""
        for _ in range(CONNECTIONS):
            await asyncio.get_running_loop().create_connection(lambda: User(self), "127.0.0.1", self._port)
        began, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            due = int(passed * rate) - sent
            sent += due
            for _ in range(due):
                self._send()
            await asyncio.sleep(TICK_SECONDS)
        while len(self.idle) < CONNECTIONS - len(self.failures):
            await asyncio.sleep(TICK_SECONDS)

    def _send(self) -> None:
        if self.idle:
            self.idle.popleft().ask()
        else:
            self.unsent += 1


class User(asyncio.Protocol):
    """One connection, lent to a user at a time."""

    REQUEST = Request("/chat").encoded("alice")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.idle.append(self)

    def ask(self) -> None:
        """Send a request."""
        self._received = b""
        self._asked = time.perf_counter()
        self._transport.write(self.REQUEST)

    def data_received(self, data: bytes) -> None:
        """Note an answer that is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        answered = [number for number, name in enumerate(NAMES) if name in body]
        if head.startswith(b"HTTP/1.1 200") and answered:
            self._load.rows.extend((self._asked, time.perf_counter(), answered[0]))
        else:
            self._load.failures.append(head.partition(b"\r\n")[0].decode())
        self._load.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody should close while users are served."""
        self._load.failures.append(f"closed: {error}")


async def run(port: int, rate: float, seconds: float, path: Path) -> None:
    """Users and streams until the time is over; prints what failed, as JSON."""
    seen, load, loop = Streams(), Load(port), asyncio.get_running_loop()
    in_a_row = int(seconds / (TOKENS * TOKEN_SECONDS))
    readers = [Reader(_stream_request(), in_a_row, seen) for _ in range(STREAMS)]
    for place, reader in enumerate(readers):
        await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)  # type: ignore[misc]
        loop.call_later(place * TOKENS * TOKEN_SECONDS / STREAMS, reader.ask)
    await load.run(rate, seconds)
    ended = await asyncio.gather(*(reader.done for reader in readers), return_exceptions=True)
    with path.open("wb") as file:
        load.rows.tofile(file)
    cut = [str(error) for error in ended if error is not None]
    failures = {"requests": load.failures, "cut": cut, "lost_tokens": seen.lost, "unsent": load.unsent}
    print(json.dumps({**failures, "streams": STREAMS * in_a_row, "cpu_seconds": time.process_time()}))


def _stream_request() -> bytes:
    content = {"model": "chat", "stream": True, "max_tokens": TOKENS, "messages": []}
    body = json.dumps(content).encode()
    head = "POST /chat HTTP/1.1\r\nhost: bench\r\nx-user-id: bob\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    keep_client_apart()
    asyncio.run(run(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
