"""Clients that hold on to a server: they send by halves, or do not read, and come again when they are sent away."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.waiting import wait_until

COOKIE = f"Cookie: sluice_csrf={'a' * 32}"
FORM = f"POST /login HTTP/1.1\r\nHost: x\r\n{COOKIE}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
EACH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SlowKind:
    """What such a client sends at once, what now and then, and whether it reads."""

    name: str
    first: str = ""
    more: str = ""
    reads: bool = True


KINDS = (
    SlowKind("says nothing"),
    SlowKind("half a header", "GET /login HTTP/1.1\r\nHost: x\r\nX-Half: "),
    SlowKind("a header little by little", "GET /login HTTP/1.1\r\nHost: x\r\nX-Half: ", "a"),
    SlowKind("half a body", f"{FORM}Content-Length: 1000\r\n\r\nusername="),
    SlowKind("a body little by little", f"{FORM}Content-Length: 1000\r\n\r\nusername=", "a"),
    SlowKind("half a chunk", f"{FORM}Transfer-Encoding: chunked\r\n\r\nff\r\nusername="),
    # What it sends on is how it learns that the server has closed.
    SlowKind("reads nothing", "GET /static/django_htmx/htmx-2.js HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n", reads=False),
    SlowKind("a request again and again", "GET /login HTTP/1.1\r\nHost: x\r\n\r\n" * 2),
)


class SlowSockets:
    """How many are open now, and how often the server closed one."""

    def __init__(self, port: int, kind: SlowKind, source: str) -> None:
        self.open = 0
        self.closed = 0
        self._port = port
        self._kind = kind
        self._source = source
        self._end = asyncio.Event()
        self._loop = asyncio.new_event_loop()

    def hold(self, count: int) -> None:
        """Keep so many open until told to `let_go`."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._hold(count))

    def let_go(self) -> None:
        """Close all of them; may be called from another thread."""
        self._loop.call_soon_threadsafe(self._end.set)

    async def _hold(self, count: int) -> None:
        clients = [asyncio.create_task(self._come_again()) for _ in range(count)]
        await self._end.wait()
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _come_again(self) -> None:
        while True:
            with socket.socket() as client:
                client.setblocking(False)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                client.bind((self._source, 0))
                try:
                    await self._loop.sock_connect(client, ("127.0.0.1", self._port))
                    await self._stay(client)
                except OSError:
                    self.closed += 1
                    await asyncio.sleep(EACH_SECONDS)

    async def _stay(self, client: socket.socket) -> None:
        """Raise `OSError` when the server has closed the connection."""
        self.open += 1
        try:
            await self._loop.sock_sendall(client, self._kind.first.encode())
            while True:
                await asyncio.sleep(EACH_SECONDS)
                await self._loop.sock_sendall(client, self._kind.more.encode())
                if self._kind.reads and _has_ended(client):
                    raise ConnectionResetError
        finally:
            self.open -= 1


def _has_ended(client: socket.socket) -> bool:
    try:
        return client.recv(65_536) == b""
    except BlockingIOError:
        return False


@contextmanager
def slow_sockets(port: int, kind: SlowKind, count: int, *, source: str = "127.0.0.1") -> Iterator[SlowSockets]:
    """Hold `count` connections from the address `source` until the block ends; it begins once all were opened."""
    held = SlowSockets(port, kind, source)
    thread = threading.Thread(target=held.hold, args=(count,))
    thread.start()
    try:
        wait_until(lambda: held.open + held.closed >= count)
        yield held
    finally:
        held.let_go()
        thread.join()
