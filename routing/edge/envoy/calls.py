"""Calls to the Envoy beside the agent, on connections that are kept: a table that is applied is looked at often."""

import socket
import ssl
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

ANSWER_SECONDS = 2.0


class EnvoyAwayError(Exception):
    """Envoy does not answer, or not in the way that it should."""


class _Kept:
    """A connection that ends with the thread that kept it."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Line:
    """One place where Envoy listens; each thread has a connection of its own."""

    def __init__(self, place: str, connect: Callable[[], HTTPConnection]) -> None:
        self._place = place
        self._connect = connect
        self._mine = threading.local()

    def call(self, method: str, path: str) -> str:
        """The body of the answer.

        Raises:
            EnvoyAwayError: there is none, or it is no success.

        """
        kept: _Kept | None = getattr(self._mine, "kept", None)
        try:
            status, content = _exchange(kept.connection, method, path) if kept else self._anew(method, path)
        except (OSError, HTTPException):
            # A kept connection may have ended with the Envoy that it led to.
            status, content = self._anew(method, path)
        if status != 200:
            raise EnvoyAwayError(f"Envoy answers {status} on {self._place}.")
        return content

    def _anew(self, method: str, path: str) -> tuple[int, str]:
        self._mine.kept = None
        connection = self._connect()
        try:
            answer = _exchange(connection, method, path)
        except (OSError, HTTPException) as error:
            connection.close()
            raise EnvoyAwayError(f"Envoy does not answer on {self._place}.") from error
        self._mine.kept = _Kept(connection)
        return answer


def port_line(host: str, port: int, *, secure: bool = False) -> Line:
    """By one of its ports."""

    def connect() -> HTTPConnection:
        if not secure:
            return HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        # It is this machine's own certificate, made out to the name that users know.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)

    return Line(f"port {port}", connect)


def socket_line(path: Path) -> Line:
    """By a socket in the file system."""
    return Line(f"the socket {path}", lambda: _SocketConnection(path))


class _SocketConnection(HTTPConnection):
    """HTTP over a socket in the file system, which Python's own client does not speak by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the socket. Raises `OSError` when nobody listens."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(str(self._path))


def _exchange(connection: HTTPConnection, method: str, path: str) -> tuple[int, str]:
    connection.request(method, path)
    response = connection.getresponse()
    return response.status, response.read().decode()
