"""A server of HTTP/2 that answers calls of gRPC frame by frame, for what a server of a library would not send.

Frames by RFC 9113, headers by RFC 7541: each a literal that is not kept.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
NOTHING, END_STREAM, ACK, END_HEADERS = 0, 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OK_STATUS = b"\x88"

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """What is answered to a call: headers, bytes of the body, and trailers; without these the headers are all."""

    body: bytes = b""
    trailers: Fields | None = (("grpc-status", "0"),)
    headers: Fields = ()
    kind: str = "application/grpc"


class CallServer:
    """Answers each request with a body by `answer`, and all others by status 200."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.answer = Call()
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the server's socket is shut."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as reading:
            reading.read(len(PREFACE))
            connection.sendall(_frame(SETTINGS, NOTHING, 0))
            while head := reading.read(9):
                length, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], head[5:]
                content = reading.read(length)
                number = int.from_bytes(stream, "big")
                if kind == SETTINGS and not flags & ACK:
                    connection.sendall(_frame(SETTINGS, ACK, 0))
                elif kind == PING and not flags & ACK:
                    connection.sendall(_frame(PING, ACK, 0, content))
                elif kind == HEADERS and flags & END_STREAM:
                    connection.sendall(_frame(HEADERS, END_HEADERS | END_STREAM, number, OK_STATUS))
                elif kind == DATA and flags & END_STREAM:
                    connection.sendall(b"".join(_answer(self.answer, number)))


@contextmanager
def run_call_server() -> Iterator[CallServer]:
    """Run a server until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server = CallServer(listening)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)


def message(content: bytes, flag: int = 0, length: int | None = None) -> bytes:
    """A message behind its flag and its length."""
    return struct.pack(">BI", flag, len(content) if length is None else length) + content


def _answer(call: Call, stream: int) -> Iterator[bytes]:
    head = OK_STATUS + _literals((("content-type", call.kind), *call.headers))
    is_all = not call.body and call.trailers is None
    yield _frame(HEADERS, END_HEADERS | (END_STREAM if is_all else NOTHING), stream, head)
    if call.body:
        yield _frame(DATA, END_STREAM if call.trailers is None else NOTHING, stream, call.body)
    if call.trailers is not None:
        yield _frame(HEADERS, END_HEADERS | END_STREAM, stream, _literals(call.trailers))


def _literals(fields: Fields) -> bytes:
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content
