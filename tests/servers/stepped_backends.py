"""A server whose answers are written by the test, piece by piece."""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.waiting import PATIENCE_SECONDS

STREAMED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class SteppedBackend:
    """Takes connections and hands them to the test as soon as they ask for more than its health."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._asked: queue.Queue[socket.socket] = queue.Queue()
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the server's socket is shut."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def next_request(self) -> socket.socket:
        """The connection of the next request."""
        connection = self._asked.get(timeout=PATIENCE_SECONDS)
        connection.settimeout(PATIENCE_SECONDS)
        return connection

    def _take(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while request := read_request(connection):
                if not request.startswith(b"GET /health"):
                    self._asked.put(connection)
                    return
                connection.sendall(HEALTHY)
        connection.close()


def read_request(connection: socket.socket) -> bytes:
    """A whole request; empty when none comes any more."""
    received = b""
    while more := connection.recv(65_536):
        received += more
        head, end, body = received.partition(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        if end and len(body) == length:
            return received
    return b""


@contextmanager
def run_stepped_backend() -> Iterator[SteppedBackend]:
    """Serve until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        backend = SteppedBackend(listening)
        thread = threading.Thread(target=backend.serve, daemon=True)
        thread.start()
        yield backend
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def piece(number: int) -> bytes:
    """A chunk of a stream with an event of its own."""
    content = b'data: {"choices":[{"delta":{"content":"token %d."}}]}\n\n' % number
    return b"%x\r\n%b\r\n" % (len(content), content)
