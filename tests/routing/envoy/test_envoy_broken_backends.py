"""What users get, and what is written down, when a backend hangs, resets or talks nonsense."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from routing.table import Endpoint, Limits
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.broken_servers import (
    Answer,
    BrokenServer,
    end,
    full,
    hang,
    reset,
    run_broken_server,
    say,
    say_and_hang,
    say_until,
    talk_nonsense,
)
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server
from tests.servers.stepped_backends import STREAMED, piece
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\n"
HALF = OK + b"content-length: 100\r\ncontent-type: text/plain\r\n\r\nhalf"
FIRST_BYTE_SECONDS = 0.7
IDLE_SECONDS = 3.0
LIMITS = {
    "/patient": Limits(),
    "/first-byte": Limits(first_byte_seconds=FIRST_BYTE_SECONDS),
    "/idle": Limits(idle_seconds=IDLE_SECONDS),
    "/both": Limits(first_byte_seconds=IDLE_SECONDS - 1, idle_seconds=IDLE_SECONDS),
}


def endpoints() -> list[Endpoint]:
    """Nothing but their limits ends a request after a time."""
    plain = {path: make_endpoint(path[1:], path_prefix=path, timeout_seconds=0) for path in LIMITS}
    return [replace(plain[path], limits=limits) for path, limits in LIMITS.items()]


@pytest.fixture(scope="module")
def server() -> Iterator[BrokenServer]:
    with run_broken_server(end) as running:
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    table = make_table(*endpoints(), backends=(make_backend("stable", server.address),))
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def post(envoy: RunningEnvoy, path: str = "/patient") -> httpx.Response:
    return httpx.post(f"{envoy.url}{path}", json={})


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (reset, 503, "backend-unavailable"),
        (end, 503, "backend-unavailable"),
        (say(b"SSH-2.0-OpenSSH_9.9\r\n"), 502, "backend-broken"),
        (say(b"\x00\x01\x02\x03" * 50), 502, "backend-broken"),
        (say(b"HTTP/1.1 two hundred\r\n\r\n"), 502, "backend-broken"),
        (say(OK + b"content-length: nine\r\n\r\n"), 502, "backend-broken"),
        (say(OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}"), 502, "backend-broken"),
    ],
)
def test_before_an_answer_has_begun_the_user_gets_a_problem(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, status: int, code: str
) -> None:
    server.answer = answer

    response = post(envoy)

    row = envoy.row(response.headers["x-request-id"])
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert (row["status"], row["finish"]) == (status, "backend")


@pytest.mark.parametrize("answer", [hang, say_and_hang(OK)])
def test_an_answer_that_never_begins_is_given_up(envoy: RunningEnvoy, server: BrokenServer, answer: Answer) -> None:
    server.answer = answer

    response = post(envoy, "/first-byte")

    row = envoy.row(response.headers["x-request-id"])
    assert (response.status_code, response.json()["code"]) == (504, "backend-timeout")
    assert (row["status"], row["finish"]) == (504, "timeout")


@pytest.mark.parametrize(
    ("begun", "breaks_off", "path", "finish"),
    [
        (STREAMED + piece(0), reset, "/patient", "backend"),
        (STREAMED + piece(0), end, "/patient", "backend"),
        (STREAMED + piece(0), talk_nonsense, "/patient", "backend"),
        (STREAMED + piece(0), hang, "/idle", "timeout"),
        (STREAMED + piece(0), hang, "/both", "timeout"),
        (HALF, end, "/patient", "backend"),
    ],
)
def test_an_answer_that_breaks_off_is_broken_off_for_the_user(
    envoy: RunningEnvoy, server: BrokenServer, begun: bytes, breaks_off: Answer, path: str, finish: str
) -> None:
    shown = threading.Event()
    server.answer = say_until(shown, begun, then=breaks_off)

    with httpx.stream("POST", f"{envoy.url}{path}", json={}) as response:
        parts = response.iter_raw()
        next(parts)
        shown.set()
        with pytest.raises(httpx.TransportError):
            list(parts)

    row = envoy.row(response.headers["x-request-id"])
    assert (row["status"], row["finish"]) == (200, finish)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"usage": 7}', b'{"usage": {"prompt_tokens": "many"}}', b'{"usage": {"prompt_tokens": -1e400}}'],
)
def test_an_answer_that_is_no_json_passes_as_it_is_and_its_tokens_are_unknown(
    envoy: RunningEnvoy, server: BrokenServer, body: bytes
) -> None:
    server.answer = say(OK + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    response = post(envoy)

    assert (response.status_code, response.content) == (200, body)
    assert envoy.row(response.headers["x-request-id"])["completion_tokens"] is None


@pytest.mark.parametrize(
    "events",
    [b"data: {\n\n", b"\x00\xff\n\n", b"data:" + b"x" * (2 << 20) + b"\n\n", b"event: x\nid: 1\n\n", b"data: [DONE]"],
)
def test_a_stream_of_nonsense_passes_as_it_is(envoy: RunningEnvoy, server: BrokenServer, events: bytes) -> None:
    server.answer = say(STREAMED, b"%x\r\n" % len(events) + events + b"\r\n0\r\n\r\n")

    response = post(envoy)

    row = envoy.row(response.headers["x-request-id"])
    assert (response.status_code, response.content) == (200, events)
    assert (row["finish"], row["completion_tokens"]) == ("complete", None)


def test_a_host_that_takes_no_connection_is_given_up_for_another(tmp_path: Path) -> None:
    with run_model_server("sound") as sound, run_broken_server(hang, connections=1) as deaf:
        backend = replace(make_backend("stable"), addresses=(deaf.address, sound.address), connect_seconds=0.3)
        with run_envoy(tmp_path, make_table(*endpoints(), backends=(backend,))) as envoy, full(deaf.address):
            answers = [post(envoy) for _ in range(12)]
            lines = [envoy.logged(answer.headers["x-request-id"]) for answer in answers]

    assert [answer.json()["server"] for answer in answers] == ["sound"] * 12
    assert {line["attempts"] for line in lines} == {1, 2}


def test_a_hung_host_leaves_the_others_serving(tmp_path: Path) -> None:
    asked: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection)
        hang(connection)

    with run_model_server("sound") as sound, run_broken_server(answer) as hung:
        backend = replace(make_backend("stable"), addresses=(hung.address, sound.address))
        with run_envoy(tmp_path, make_table(*endpoints(), backends=(backend,))) as envoy:

            def hangs_five_times() -> bool:
                post(envoy, "/first-byte")
                return len(asked) == 5

            wait_until(hangs_five_times)
            wait_until(lambda: {"failed_outlier_check"} in envoy.flags("stable").values())
            answers = [post(envoy) for _ in range(24)]

    assert [answer.json()["server"] for answer in answers] == ["sound"] * 24
    assert len(asked) == 5
