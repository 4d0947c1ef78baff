"""Envoy hands on every piece of a stream as it comes, and lets go of the backend when the client does."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.routing.envoys import RunningEnvoy, run_envoy
from tests.routing.tables import make_backend, make_endpoint, make_table

ANSWER_SECONDS = 20.0
AT_ONCE = 1.0
STREAMED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
REQUEST = b"POST /chat HTTP/1.1\r\nhost: e\r\nx-user-id: alice\r\ncontent-length: 2\r\n\r\n{}"


class SteppedBackend:
    """A server whose streams are written by the test, piece by piece."""

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
        """The connection of the next request for a stream."""
        connection = self._asked.get(timeout=ANSWER_SECONDS)
        connection.settimeout(ANSWER_SECONDS)
        return connection

    def _take(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while received := connection.recv(65_536):
                if not received.startswith(b"GET /health"):
                    self._asked.put(connection)
                    return
                connection.sendall(HEALTHY)
        connection.close()


@contextmanager
def run_backend() -> Iterator[SteppedBackend]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        backend = SteppedBackend(listening)
        thread = threading.Thread(target=backend.serve, daemon=True)
        thread.start()
        yield backend
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture(scope="module")
def backend() -> Iterator[SteppedBackend]:
    with run_backend() as running:
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, backend: SteppedBackend) -> Iterator[RunningEnvoy]:
    folder: Path = tmp_path_factory.mktemp("edge")
    table = make_table(make_endpoint(), backends=(make_backend("stable", backend.address),))
    with run_envoy(folder, table) as running:
        yield running


def asked(envoy: RunningEnvoy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", envoy.port), timeout=ANSWER_SECONDS)
    client.sendall(REQUEST)
    return client


def read_until(client: socket.socket, text: bytes) -> bytes:
    received = b""
    while text not in received:
        more = client.recv(65_536)
        assert more, f"The stream ended before {text!r}."
        received += more
    return received


def piece(number: int) -> bytes:
    content = b'data: {"choices":[{"delta":{"content":"token %d."}}]}\n\n' % number
    return b"%x\r\n%b\r\n" % (len(content), content)


def test_no_piece_waits_for_the_next_one(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy) as client, backend.next_request() as stream:
        stream.sendall(STREAMED)
        for number in range(64):
            stream.sendall(piece(number))
            read_until(client, b"token %d." % number)


def test_half_an_event_is_handed_on_too(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy) as client, backend.next_request() as stream:
        stream.sendall(STREAMED + b'c\r\ndata: {"half\r\n')

        read_until(client, b"half")


def test_a_client_that_leaves_frees_the_backend_at_once(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy) as client, backend.next_request() as stream:
        stream.sendall(STREAMED + piece(0))
        read_until(client, b"token 0.")

        client.close()
        left = time.monotonic()

        assert stream.recv(1) == b""
        assert time.monotonic() - left < AT_ONCE


def test_a_client_that_leaves_before_the_first_token_frees_it_too(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy) as client, backend.next_request() as stream:
        client.close()
        left = time.monotonic()

        assert stream.recv(1) == b""
        assert time.monotonic() - left < AT_ONCE
