"""How a request ended and whose doing it was, for each way in which a backend or a client can break one."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.protocols import PROTOCOLS
from routing.table import Limits
from tests.factories.answers import OK, STREAM, bare, chunk, plain, stream
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.broken_servers import (
    Answer,
    BrokenServer,
    end,
    hang,
    reset,
    run_broken_server,
    say,
    say_and_hang,
    say_until,
)
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

TENSOR = b'{"outputs": [{"name": "a", "datatype": "BYTES", "shape": [1], "data": ["error"]}]}'
CHOICES = b'{"object": "chat.completion", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}'
DELTA = b'data: {"choices": [{"delta": {"content": "Hi \\"error\\": {"}, "finish_reason": null}]}\n\n'
LAST = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
CHAT = "/v1/chat/completions"

IMPATIENT = "impatient"
LIMITS = Limits(idle_seconds=2.0, first_byte_seconds=2.0)
OPENAI = {"host": "openai"}
BEGUN = threading.Event()
"""The client has seen the first byte of what the answer holds."""

Seen = tuple[str, str | None]

BROKE_OFF = ("failed", "broke-off")


def stream_broken_once_begun(*events: bytes, by: Answer) -> Answer:
    """Once the client has seen its beginning: what breaks at once has not begun to some."""
    return say_until(BEGUN, STREAM, chunk(*events), then=by)


@pytest.fixture(scope="module")
def server() -> Iterator[BrokenServer]:
    with run_broken_server(end) as running:
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    """An endpoint for each kind, by its host, and one that is given up soon."""
    plain = {key: make_endpoint(key, path_prefix="/", backend=key) for key in sorted(PROTOCOLS)}
    endpoints = [replace(endpoint, hosts=(key,)) for key, endpoint in plain.items()]
    brief = replace(make_endpoint(IMPATIENT, path_prefix="/", backend="openai"), hosts=(IMPATIENT,), limits=LIMITS)
    backends = tuple(make_backend(key, server.address, protocol=key) for key in plain)
    with run_envoy(tmp_path_factory.mktemp("edge"), make_table(*endpoints, brief, backends=backends)) as running:
        yield running


def seen(envoy: RunningEnvoy, path: str = CHAT, host: str = "openai", **headers: str) -> Seen:
    """The result and the cause that are logged of one request."""
    BEGUN.clear()
    try:
        with httpx.stream("POST", f"{envoy.url}{path}", json={}, headers={"host": host, **headers}) as response:
            request_id = response.headers["x-request-id"]
            for _ in response.iter_raw():
                BEGUN.set()
    except httpx.TransportError:
        pass
    row = envoy.row(request_id)
    return row["result"], row["failure"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (plain(CHOICES), ("success", None)),
        (plain(CHOICES, status=b"201 Created"), ("success", None)),
        (stream(DELTA, LAST, DONE), ("success", None)),
        (stream(*(bytes([byte]) for byte in DELTA + LAST + DONE)), ("success", None)),
        (stream(DELTA, LAST, b"data: [DONE]"), ("success", None)),
        # Broken off: by FIN, by RST, inside a chunk, and where a length was promised.
        (stream_broken_once_begun(DELTA, by=end), ("failed", "broke-off")),
        (stream_broken_once_begun(DELTA, by=reset), ("failed", "broke-off")),
        (stream_broken_once_begun(DELTA, by=say(b"ff\r\nda")), ("failed", "broke-off")),
        (stream_broken_once_begun(DELTA, by=say(b"nonsense\r\n")), ("failed", "broke-off")),
        (say_until(BEGUN, OK + b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{", then=end), BROKE_OFF),
        (reset, ("failed", "unreachable")),
        (plain(b"oh", b"text/plain", b"500 Internal Server Error"), ("failed", "server-error")),
        # A stream of status 200 that tells of an error, or ends too early.
        (stream(DELTA, b'data: {"error": {"message": "out of memory"}}\n\n', DONE), ("failed", "error-in-answer")),
        (stream(b'data: {"error": "overloaded"}\n\n', DONE), ("failed", "error-in-answer")),
        (stream(DELTA, b'data: {"object": "error", "message": "x"}\n\n', DONE), ("failed", "error-in-answer")),
        (stream(DELTA, b"event: error\ndata: out of memory\n\n", DONE), ("failed", "error-in-answer")),
        (stream(DELTA, b'data: {"error', b'": {"message": "x"}}\n\n', DONE), ("failed", "error-in-answer")),
        (stream(DELTA), ("failed", "unfinished")),
        (stream(DELTA, b"data: Internal Server Error\n\n"), ("failed", "unfinished")),
        (stream(DELTA, b'data: {"choices": [{"del'), ("failed", "unfinished")),
        # Nothing of the status says so.
        (plain(b"<html>Log in</html>", b"text/html; charset=utf-8"), ("failed", "no-answer")),
        (plain(b"<html>Log in</html>"), ("failed", "no-answer")),
        (plain(b""), ("failed", "no-answer")),
        (plain(b"", b"text/event-stream"), ("failed", "no-answer")),
        (plain(b"{}"), ("failed", "no-answer")),
        (plain(b"null"), ("failed", "no-answer")),
        (plain(b'{"status": "ok"}'), ("failed", "no-answer")),
        (plain(b'{"detail": "Not Found"}'), ("failed", "no-answer")),
        (plain(b'{"choices": []}'), ("failed", "no-answer")),
        (plain(b'{"choices": null}'), ("failed", "no-answer")),
        (plain(CHOICES[:-20]), ("failed", "no-answer")),
        (plain(b"It works", b"text/plain"), ("failed", "no-answer")),
        (plain(b'{"error": {"message": "x"}}'), ("failed", "error-in-answer")),
        (plain(b'{"object": "error", "message": "x"}'), ("failed", "error-in-answer")),
        # Of status that are no success, each class is its own.
        (plain(b"{}", status=b"404 Not Found"), ("rejected", None)),
        (plain(b"{}", status=b"429 Too Many Requests"), ("rejected", None)),
        (bare(b"302 Found", b"location: /login\r\ncontent-length: 0\r\n"), ("redirected", None)),
        # A POST sets no condition, asks for no other protocol, and wants an answer.
        (bare(b"304 Not Modified"), ("failed", "no-answer")),
        (bare(b"204 No Content"), ("failed", "no-answer")),
        (bare(b"205 Reset Content", b"content-length: 0\r\n"), ("failed", "no-answer")),
        (plain(b'{"status": "queued"}', status=b"202 Accepted"), ("failed", "no-answer")),
        (plain(CHOICES, status=b"600 Odd"), ("failed", "server-error")),
        (plain(CHOICES, status=b"999 Odd"), ("failed", "server-error")),
    ],
)
def test_every_way_to_fail_is_told(envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen) -> None:
    server.answer = answer

    assert seen(envoy) == expected


@pytest.mark.parametrize("answer", [say_and_hang(STREAM, chunk(DELTA)), hang])
def test_what_never_ends_or_never_begins_is_timed_out(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer
) -> None:
    server.answer = answer

    assert seen(envoy, host=IMPATIENT) == ("timed-out", "timed-out")


@pytest.mark.parametrize(
    ("protocol", "path", "answer", "expected"),
    [
        ("openai", "/v1/responses", plain(b'{"output": [{"name": "f"}], "error": null}'), ("success", None)),
        ("openai", "/v1/responses", plain(b'{"status": "failed", "output": []}'), ("failed", "error-in-answer")),
        (
            "openai",
            "/v1/responses",
            stream(
                b'event: response.created\ndata: {"type": "response.created"}\n\n',
                b'event: response.completed\ndata: {"type": "response.completed", "response": {"output": ['
                b'{"content": [{"text": "' + b"x" * 20_000 + b'"}]}]}}\n\n',
            ),
            ("success", None),
        ),
        (
            "openai",
            "/v1/responses",
            stream(b'event: response.failed\ndata: {"type": "response.failed"}\n\n'),
            ("failed", "unfinished"),
        ),
        ("openai", "/v1/embeddings", plain(b'{"object": "list", "data": [{"embedding": [0.1]}]}'), ("success", None)),
        ("openai", "/v1/embeddings", plain(CHOICES), ("failed", "no-answer")),
        ("openai", "/v1/files", plain(b'{"id": "file-1"}'), ("success", None)),
        ("openai", "/v1/files", plain(b"<html>", b"text/html"), ("failed", "no-answer")),
        ("openai", "/v1/audio/speech", plain(b"\xff\xfb\x90\x64\x00\x01", b"audio/mpeg"), ("success", None)),
        ("vllm", CHAT, plain(b"{}"), ("failed", "no-answer")),
        ("tgi", "/generate", plain(b'{"generated_text": "Hi"}'), ("success", None)),
        ("tgi", "/generate", plain(b'{"error": "overloaded", "error_type": "x"}'), ("failed", "error-in-answer")),
        ("tgi", "/generate_stream", stream(b'data: {"generated_text": null}\n\n'), ("failed", "unfinished")),
        ("tgi", "/generate_stream", stream(b'data: {"generated_text": "Hi"}\n\n'), ("success", None)),
        ("llama-cpp", "/completion", stream(b'data: {"content": "a", "stop": true}\n\n'), ("success", None)),
        ("llama-cpp", "/completion", stream(b'data: {"content": "a", "stop": false}\n\n'), ("failed", "unfinished")),
        ("triton", "/v2/models/a/infer", plain(TENSOR), ("success", None)),
        ("kserve-v2", "/v2/models/a/infer", plain(b'{"error": "no such model"}'), ("failed", "error-in-answer")),
        ("triton", "/v2/models/a/generate_stream", stream(b'data: {"text_output": "a"}\n\n'), ("success", None)),
        # Kinds whose answers are up to the model or the service.
        ("http", CHAT, plain(b"<p>Hi</p>", b"text/plain"), ("success", None)),
        ("http", CHAT, plain(b"<html>", b"text/html"), ("failed", "no-answer")),
        ("bentoml", "/summarize", plain(b'"A summary."'), ("success", None)),
        ("torchserve", "/predictions/a", plain(b"[0.1, 0.9]"), ("success", None)),
    ],
)
def test_a_kind_says_what_its_answers_are(
    envoy: RunningEnvoy, server: BrokenServer, protocol: str, path: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, path, protocol) == expected


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v1 HTTP/1.1\r\nhost: openai\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
        b"POST /v1 HTTP/1.1\r\nhost: openai\r\ncontent-length: 9\r\n\r\n{",
    ],
)
def test_a_client_that_breaks_its_request_off_is_to_blame_itself(
    envoy: RunningEnvoy, server: BrokenServer, sent: bytes
) -> None:
    server.answer = hang
    before = len(envoy.log_lines(0))

    with socket.create_connection(("127.0.0.1", envoy.port)) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        client.recv(1 << 16)

    [line] = envoy.log_lines(before + 1)[before:]
    assert envoy.row(line["request_id"])["result"] == "abandoned"


def test_a_client_that_leaves_a_stream_is_to_blame_itself(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = say_and_hang(STREAM, chunk(DELTA))

    with httpx.stream("POST", f"{envoy.url}{CHAT}", json={}, headers=OPENAI) as response:
        next(response.iter_bytes())

    assert envoy.row(response.headers["x-request-id"])["result"] == "abandoned"


def test_a_client_that_leaves_because_of_an_error_blames_the_backend(envoy: RunningEnvoy, server: BrokenServer) -> None:
    error = b'data: {"error": {"message": "x"}}\n\n'
    server.answer = say_and_hang(STREAM, chunk(DELTA, error))

    with httpx.stream("POST", f"{envoy.url}{CHAT}", json={}, headers=OPENAI) as response:
        for part in response.iter_bytes():
            if b"error" in part:
                break

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == ("failed", "error-in-answer")


@pytest.mark.parametrize(
    ("body", "stop"),
    [
        ({"choices": [{"finish_reason": "length"}]}, "length"),
        ({"choices": [{"finish_reason": "content_filter"}]}, "content_filter"),
        ({"choices": [{"finish_reason": "stop", "message": {"refusal": "I will not."}}]}, "refusal"),
        ({"choices": [{"finish_reason": "stop", "message": {"refusal": None}}]}, "stop"),
        ({"choices": [{"finish_reason": None}]}, None),
    ],
)
def test_why_the_model_stopped_is_told(
    envoy: RunningEnvoy, server: BrokenServer, body: dict[str, Any], stop: str | None
) -> None:
    server.answer = plain(json.dumps(body).encode())

    response = httpx.post(f"{envoy.url}{CHAT}", json={}, headers=OPENAI)

    assert envoy.row(response.headers["x-request-id"])["stop"] == stop
