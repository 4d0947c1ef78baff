"""Asks an Envoy for the arm of very many units, with as little work for each as there can be.

The Envoy has no clusters: it answers every request by itself, with headers that say what it was measured as.
"""

import selectors
import socket
from collections.abc import Iterator, Sequence

from routing.envoy import EXPLAIN_HEADER

CONNECTIONS = 32
RECEIVE_BYTES = 1 << 14
ANSWER_SECONDS = 30.0
UNMEASURED = ""

NAME = b"x-sluice-variant: "


def arms_of(port: int, path: str, units: Sequence[str]) -> list[str]:
    """The variant that each unit got, in order; an empty text for who is in none.

    Raises:
        EOFError: Envoy closed a connection.
        TimeoutError: it does not answer.

    """
    found = [UNMEASURED] * len(units)
    with selectors.DefaultSelector() as selector:
        numbers = iter(range(len(units)))
        askers = [_Asker(port, path, units, numbers, found) for _ in range(min(CONNECTIONS, len(units)))]
        for asker in askers:
            selector.register(asker.connection, selectors.EVENT_READ, asker)
            asker.ask()
        while selector.get_map():
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise TimeoutError(f"Envoy does not answer on port {port}.")
            for key, _ in ready:
                if not key.data.receive():
                    selector.unregister(key.fileobj)
                    key.data.connection.close()
    return found


class _Asker:
    """One connection; it asks about the next unit when it was answered about the last one."""

    def __init__(self, port: int, path: str, units: Sequence[str], numbers: Iterator[int], found: list[str]) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"GET {path} HTTP/1.1\r\nhost: e\r\n{EXPLAIN_HEADER}: yes\r\nx-user-id: "
        self._units = units
        self._numbers = numbers
        self._found = found
        self._received = b""

    def ask(self) -> bool:
        """Ask about the next unit; False when there is none left."""
        self._number = next(self._numbers, -1)
        if self._number < 0:
            return False
        self._received = b""
        self.connection.sendall(f"{self._head}{self._units[self._number]}\r\n\r\n".encode())
        return True

    def receive(self) -> bool:
        """Take what came; False when this was the last answer."""
        more = self.connection.recv(RECEIVE_BYTES)
        if not more:
            raise EOFError("Envoy closed the connection.")
        self._received += more
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r")[0]):
            return True
        self._found[self._number] = head.partition(NAME)[2].partition(b"\r")[0].decode()
        return self.ask()
