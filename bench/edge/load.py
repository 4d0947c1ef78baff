"""Users on connections of their own, each asking again when it was answered."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

PROMPT = "Please tell me something about the weather of tomorrow in the north. " * 10


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: where, with the user in the header or in the body, streamed or whole."""

    path: str
    user_in_body: bool = False
    stream: bool = False

    def encoded(self, user: str) -> bytes:
        """The request as it goes over the wire."""
        content = {"model": "chat", "stream": self.stream, "messages": [{"role": "user", "content": PROMPT}]}
        body = json.dumps({**content, "user": user} if self.user_in_body else content).encode()
        header = "" if self.user_in_body else f"x-user-id: {user}\r\n"
        head = f"POST {self.path} HTTP/1.1\r\nhost: bench\r\n{header}content-type: application/json\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class User(asyncio.Protocol):
    """One connection; keeps the seconds that each answer took."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.seconds: list[float] = []
        self._requests = requests
        self._until = until

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take the answer's time when it is complete, and ask again."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        now = time.perf_counter()
        self.seconds.append(now - self._asked)
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(head.decode()))
        elif now < self._until:
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """An end before the time is a failure."""
        if not self.done.done():
            self.done.set_exception(error or EOFError("The connection was closed."))

    def _ask(self) -> None:
        self._received = b""
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))


def measure(port: int, request: Request, users: int, seconds: float) -> list[float]:
    """The seconds that each answer took."""
    return asyncio.run(_measure(port, request, users, seconds))


async def _measure(port: int, request: Request, users: int, seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    connected = [
        await asyncio.get_running_loop().create_connection(
            lambda number=number: User(_requests(request, number), until),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        for number in range(users)
    ]
    await asyncio.gather(*(user.done for _, user in connected))
    return [taken for _, user in connected for taken in user.seconds]


def _requests(request: Request, number: int) -> Iterator[bytes]:
    """Endless requests of some hundred users."""
    encoded = [request.encoded(f"user-{number}-{user}") for user in range(100)]
    while True:
        yield from encoded
