"""What users get, and what is written down, when a backend hangs, resets or talks nonsense."""

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from routing.table import Backend, Limits, Table
from tests.routing.broken_servers import (
    CHUNKED,
    FIRST_EVENT,
    Answer,
    run_broken_server,
    say,
    say_and_hang,
    say_and_reset,
)
from tests.routing.envoys import run_envoy
from tests.routing.model_servers import run_model_server
from tests.routing.tables import make_backend, make_endpoint, make_table

OK = b"HTTP/1.1 200 OK\r\n"
LIMITS = Limits(first_byte_seconds=0.7, idle_seconds=0.7)


def table_of(backend: Backend) -> Table:
    return make_table(replace(make_endpoint(), limits=LIMITS), backends=(backend,))


@pytest.mark.parametrize(
    ("answer", "status", "code", "finish"),
    [
        (say_and_hang(), 504, "backend-timeout", "timeout"),
        (say_and_hang(OK), 504, "backend-timeout", "timeout"),
        (say_and_reset(), 503, "backend-unavailable", "backend"),
        (say(), 503, "backend-unavailable", "backend"),
        (say(b"SSH-2.0-OpenSSH_9.9\r\n"), 502, "backend-broken", "backend"),
        (say(b"\x00\x01\x02\x03" * 50), 502, "backend-broken", "backend"),
        (say(b"HTTP/1.1 two hundred\r\n\r\n"), 502, "backend-broken", "backend"),
        (say(OK + b"content-length: nine\r\n\r\n"), 502, "backend-broken", "backend"),
        (say(OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}"), 502, "backend-broken", "backend"),
    ],
)
def test_before_an_answer_has_begun_the_user_gets_a_problem(
    tmp_path: Path, answer: Answer, status: int, code: str, finish: str
) -> None:
    with run_broken_server(answer) as address, run_envoy(tmp_path, table_of(make_backend("stable", address))) as envoy:
        started = time.monotonic()
        response = httpx.post(f"{envoy.url}/chat", json={}, timeout=10)
        seconds = time.monotonic() - started
        row = envoy.row(response.headers["x-request-id"])

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert seconds < 3
    assert (row["status"], row["finish"]) == (status, finish)


@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        (say_and_reset(CHUNKED, FIRST_EVENT), "backend"),
        (say(CHUNKED, FIRST_EVENT), "backend"),
        (say(CHUNKED, FIRST_EVENT, b"nonsense\r\n"), "backend"),
        (say_and_hang(CHUNKED, FIRST_EVENT), "timeout"),
        (say(OK + b"content-length: 100\r\ncontent-type: text/plain\r\n\r\nhalf"), "backend"),
    ],
)
def test_an_answer_that_breaks_off_is_broken_off_for_the_user(tmp_path: Path, answer: Answer, finish: str) -> None:
    with run_broken_server(answer) as address, run_envoy(tmp_path, table_of(make_backend("stable", address))) as envoy:
        with (
            pytest.raises(httpx.TransportError),
            httpx.stream("POST", f"{envoy.url}/chat", json={}, timeout=10) as response,
        ):
            response.read()
        row = envoy.row(response.headers["x-request-id"])

    assert (row["status"], row["finish"]) == (200, finish)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"usage": 7}', b'{"usage": {"prompt_tokens": "many"}}', b'{"usage": {"prompt_tokens": -1e400}}'],
)
def test_an_answer_that_is_no_json_passes_as_it_is_and_its_tokens_are_unknown(tmp_path: Path, body: bytes) -> None:
    head = OK + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    with (
        run_broken_server(say(head + body)) as address,
        run_envoy(tmp_path, table_of(make_backend("stable", address))) as envoy,
    ):
        response = httpx.post(f"{envoy.url}/chat", json={}, timeout=10)
        row = envoy.row(response.headers["x-request-id"])

    assert (response.status_code, response.content) == (200, body)
    assert row["completion_tokens"] is None


@pytest.mark.parametrize(
    "events",
    [b"data: {\n\n", b"\x00\xff\n\n", b"data:" + b"x" * (2 << 20) + b"\n\n", b"event: x\nid: 1\n\n", b"data: [DONE]"],
)
def test_a_stream_of_nonsense_passes_as_it_is(tmp_path: Path, events: bytes) -> None:
    answer = say(CHUNKED, b"%x\r\n" % len(events) + events + b"\r\n0\r\n\r\n")
    with run_broken_server(answer) as address, run_envoy(tmp_path, table_of(make_backend("stable", address))) as envoy:
        response = httpx.post(f"{envoy.url}/chat", json={}, timeout=10)
        row = envoy.row(response.headers["x-request-id"])

    assert (response.status_code, response.content) == (200, events)
    assert (row["finish"], row["completion_tokens"]) == ("complete", None)


def test_a_host_that_takes_no_connection_is_given_up_for_another(tmp_path: Path) -> None:
    with (
        run_model_server("sound") as sound,
        run_broken_server(say(), accepts=False) as deaf,
    ):
        backend = replace(make_backend("stable"), addresses=(deaf, sound.address), connect_seconds=0.3)
        with run_envoy(tmp_path, table_of(backend)) as envoy:
            answers = [httpx.post(f"{envoy.url}/chat", json={}, timeout=10) for _ in range(12)]

    assert answers[-1].json()["server"] == "sound"
    assert [answer.status_code for answer in answers].count(200) >= 8


def test_a_hung_host_leaves_the_others_serving(tmp_path: Path) -> None:
    with run_model_server("sound") as sound, run_broken_server(say_and_hang()) as hung:
        backend = replace(make_backend("stable"), addresses=(hung, sound.address))
        with run_envoy(tmp_path, table_of(backend)) as envoy:
            statuses = [httpx.post(f"{envoy.url}/chat", json={}, timeout=10).status_code for _ in range(24)]

    assert statuses.count(504) == 5
    assert statuses[-10:] == [200] * 10
