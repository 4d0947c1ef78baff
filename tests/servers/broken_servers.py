"""Servers that break the protocol, each in its own way."""

import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from tests.servers.stepped_backends import read_request

Answer = Callable[[socket.socket], None]


class BrokenServer:
    """Answers each request by `answer`, which may be exchanged, but the health checks."""

    def __init__(self, listening: socket.socket, answer: Answer, connections: int | None) -> None:
        self._listening = listening
        self._connections = connections
        self.answer = answer
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections, so many at the most, until the server's socket is shut."""
        with suppress(OSError):
            for _ in itertools.count() if self._connections is None else range(self._connections):
                connection, _ = self._listening.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while request := read_request(connection):
                if request.startswith(b"GET /health"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                else:
                    self.answer(connection)


@contextmanager
def run_broken_server(answer: Answer, *, connections: int | None = None) -> Iterator[BrokenServer]:
    """Run a server until the block ends; where it has a number of connections, it takes no more."""
    with socket.create_server(("127.0.0.1", 0), backlog=128 if connections is None else 1) as listening:
        server = BrokenServer(listening, answer, connections)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def full(address: str) -> Iterator[None]:
    """Fill the room where connections to a server wait to be taken: those that come now are not even refused."""
    with ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", int(address.rpartition(":")[2])))
        yield


def say(*parts: bytes) -> Answer:
    """Send these bytes and end the connection."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        end(connection)

    return answer


def say_and_hang(*parts: bytes) -> Answer:
    """Send these bytes, and nothing more until the other side has gone."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        hang(connection)

    return answer


def say_until(event: threading.Event, *parts: bytes, then: Answer) -> Answer:
    """Send these bytes, and go on when the event has come."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        event.wait()
        then(connection)

    return answer


def end(connection: socket.socket) -> None:
    """Say that nothing more comes."""
    connection.shutdown(socket.SHUT_WR)
    hang(connection)


def hang(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    while connection.recv(1 << 16):
        pass


def reset(connection: socket.socket) -> None:
    """End the connection as if something had broken."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def talk_nonsense(connection: socket.socket) -> None:
    """Go on with what is no chunk."""
    connection.sendall(b"nonsense\r\n")
    end(connection)
