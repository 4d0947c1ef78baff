"""Users who read streams of tokens, many at once; each token says when the backend wrote it."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field

from bench.edge.model import TOKEN_SECONDS

TOKENS = 64
TOKEN = re.compile(rb'"content": ?"(\d{4}) (\d+\.\d{9})"')
STREAM_SECONDS = 120.0


@dataclass
class Streams:
    """What came of all streams together, in seconds."""

    first_token: list[float] = field(default_factory=list)
    on_the_way: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def held_back(self) -> int:
        """Tokens that came later than when the next one was written."""
        return sum(seconds > TOKEN_SECONDS for seconds in self.on_the_way)

    def add(self, other: "Streams") -> None:
        """Count another round's in."""
        self.first_token += other.first_token
        self.on_the_way += other.on_the_way
        self.lost += other.lost


class Reader(asyncio.Protocol):
    """One connection, with one stream after the other."""

    def __init__(self, request: bytes, streams: int, seen: Streams) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._left = streams
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self) -> None:
        """Ask for a stream."""
        self._unread = b""
        self._expected = 0
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take the time of each token; ask again when the stream is complete."""
        now = time.perf_counter()
        self._unread += data
        end = 0
        for token in TOKEN.finditer(self._unread):
            end = token.end()
            if self._expected == 0:
                self._seen.first_token.append(now - self._asked)
            self._seen.lost += int(token[1]) - self._expected
            self._expected = int(token[1]) + 1
            self._seen.on_the_way.append(now - float(token[2]))
        self._unread = self._unread[end:]
        if self._unread.endswith(b"0\r\n\r\n") and b"[DONE]" in self._unread:
            self._end_stream()

    def connection_lost(self, error: Exception | None) -> None:
        """An end before the time is a failure."""
        if not self.done.done():
            self.done.set_exception(error or EOFError(f"The stream was cut: {self._unread[-300:]!r}"))

    def _end_stream(self) -> None:
        self._seen.lost += TOKENS - self._expected
        self._left -= 1
        if self._left:
            self.ask()
        else:
            self._transport.close()
            self.done.set_result(None)


def measure_streams(port: int, users: int, streams: int) -> Streams:
    """So many users at once, each with so many streams in a row; they begin evenly over one stream's length."""
    return asyncio.run(asyncio.wait_for(_measure(port, users, streams), STREAM_SECONDS))


async def _measure(port: int, users: int, streams: int) -> Streams:
    seen = Streams()
    loop = asyncio.get_running_loop()
    readers = [Reader(encoded(f"user-{number}"), streams, seen) for number in range(users)]
    for reader in readers:
        await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)  # type: ignore[misc]
    for place, reader in enumerate(readers):
        loop.call_later(place * TOKENS * TOKEN_SECONDS / users, reader.ask)
    await asyncio.gather(*(reader.done for reader in readers))
    return seen


def encoded(user: str) -> bytes:
    """The request for a stream that tells its tokens' count at its end."""
    options = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": TOKENS}
    messages = [{"role": "user", "content": "Please say something."}]
    body = json.dumps({"model": "chat", "user": user, **options, "messages": messages}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nx-user-id: {user}\r\ncontent-type: application/json"
    return f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
