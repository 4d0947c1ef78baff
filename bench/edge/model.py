"""A backend that answers at once, so that what is measured is the way there.

It speaks just enough HTTP/1.1: a chat answer with usage, whole or as a stream of events. A stream that was asked for
with `max_tokens` comes token by token; each says when it was written, by the clock that all processes share.
"""

import asyncio
import json
import re
import sys
import time

USAGE = {"prompt_tokens": 200, "completion_tokens": 120, "total_tokens": 320}
TEXT = "The model says something that is about as long as an answer tends to be. " * 8
EVENTS = 20
TOKEN_SECONDS = 0.02

STREAMED = re.compile(rb'"stream": ?true')
TOKENS = re.compile(rb'"max_tokens": ?(\d+)')


class Model(asyncio.Protocol):
    """One connection; a request is complete when its body is as long as its header says."""

    def __init__(self, name: str) -> None:
        self._whole = _whole_answer(name)
        self._streamed = _streamed_answer(name)
        self._token, self._after = _token_event(name).split(b"TOKEN")
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        if end and len(body) >= length:
            self._received = b""
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        if not STREAMED.search(body):
            self._transport.write(self._whole)
        elif tokens := TOKENS.search(body):
            self._transport.write(_head("content-type: text/event-stream\r\ntransfer-encoding: chunked"))
            self._write_token(0, int(tokens[1]), asyncio.get_running_loop().time())
        else:
            self._transport.write(self._streamed)

    def _write_token(self, number: int, count: int, began: float) -> None:
        if self._transport.is_closing():
            return
        if number == count:
            self._transport.write(_chunk(END) + b"0\r\n\r\n")
            return
        stamp = f"{number:04} {time.perf_counter():.9f}".encode()
        self._transport.write(_chunk(self._token + stamp + self._after))
        later = began + (number + 1) * TOKEN_SECONDS
        asyncio.get_running_loop().call_at(later, self._write_token, number + 1, count, began)


def _whole_answer(name: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    facts = {"id": "x", "object": "chat.completion", "created": 1, "model": name}
    body = json.dumps({**facts, "choices": [choice], "usage": USAGE}).encode()
    return _head(f"content-type: application/json\r\ncontent-length: {len(body)}") + body


def _streamed_answer(name: str) -> bytes:
    deltas = [_token_event(name).replace(b"TOKEN", TEXT[:30].encode())] * EVENTS
    body = b"".join([*deltas, END])
    return _head(f"content-type: text/event-stream\r\ncontent-length: {len(body)}") + body


def _token_event(name: str) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": "TOKEN"}, "finish_reason": None}
    facts = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": name}
    return _event({**facts, "choices": [choice]})


def _event(content: dict[str, object]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _head(headers: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode()


END = b"".join(
    [
        _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        _event({"choices": [], "usage": USAGE}),
        b"data: [DONE]\n\n",
    ]
)


async def main(port: int, name: str) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Model(name), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
