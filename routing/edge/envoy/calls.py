"""Calls to the Envoy beside the agent, on connections that are kept: a table that is applied is looked at often."""

import ssl
import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection

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
    """One of Envoy's ports; each thread has a connection of its own."""

    def __init__(self, host: str, port: int, *, secure: bool = False) -> None:
        self._address = (host, port)
        self._secure = secure
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
            raise EnvoyAwayError(f"Envoy answers {status} on port {self._address[1]}.")
        return content

    def _anew(self, method: str, path: str) -> tuple[int, str]:
        self._mine.kept = None
        connection = self._connection()
        try:
            answer = _exchange(connection, method, path)
        except (OSError, HTTPException) as error:
            connection.close()
            raise EnvoyAwayError(f"Envoy does not answer on port {self._address[1]}.") from error
        self._mine.kept = _Kept(connection)
        return answer

    def _connection(self) -> HTTPConnection:
        if not self._secure:
            return HTTPConnection(*self._address, timeout=ANSWER_SECONDS)
        # It is this machine's own certificate, made out to the name that users know.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(*self._address, timeout=ANSWER_SECONDS, context=context)


def _exchange(connection: HTTPConnection, method: str, path: str) -> tuple[int, str]:
    connection.request(method, path)
    response = connection.getresponse()
    return response.status, response.read().decode()
