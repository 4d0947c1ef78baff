"""Servers that break the protocol, each in its own way."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket], None]

CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST_EVENT = b'f\r\ndata: {"a": 1}\n\r\n2\r\n\n\n\r\n'


@contextmanager
def run_broken_server(answer: Answer, *, accepts: bool = True) -> Iterator[str]:
    """Answer each request by `answer`, but the health checks; without `accepts` no connection is ever taken."""
    with socket.create_server(("127.0.0.1", 0), backlog=128 if accepts else 1) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=(server, answer), daemon=True)
        if accepts:
            thread.start()
        yield address
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, answer: Answer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_talk, args=(connection, answer), daemon=True).start()


def _talk(connection: socket.socket, answer: Answer) -> None:
    with suppress(OSError), connection:
        while request := connection.recv(1 << 16):
            if b"/health" in request:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            else:
                answer(connection)


def say(*parts: bytes) -> Answer:
    """Send these bytes and end the connection."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def say_and_hang(*parts: bytes) -> Answer:
    """Send these bytes, and never anything more."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        threading.Event().wait(60)

    return answer


def say_and_reset(*parts: bytes) -> Answer:
    """Send these bytes and reset the connection."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return answer
