"""A client that reads an answer as it comes, byte by byte."""

import socket

from tests.waiting import PATIENCE_SECONDS

REQUEST = b"POST /chat HTTP/1.1\r\nhost: e\r\nx-user-id: alice\r\ncontent-length: 2\r\n\r\n{}"


def asked(port: int) -> socket.socket:
    """A connection on which a request was just sent."""
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    client.sendall(REQUEST)
    return client


def read_until(client: socket.socket, text: bytes) -> bytes:
    """What comes until this text has."""
    received = b""
    while text not in received:
        more = client.recv(65_536)
        assert more, f"The stream ended before {text!r}."
        received += more
    return received
