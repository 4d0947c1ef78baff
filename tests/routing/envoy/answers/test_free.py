"""Where the protocol leaves to the model what an answer is, some of what is none is known all the same.

An empty answer, an HTML page to who asked for JSON, and a document that tells of an error and of nothing else.
"""

from typing import Any

import httpx
import pytest

from tests.factories.answers import bare, plain
from tests.routing.envoy.answers.edge import NO_ANSWER, SUCCESS, Seen
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

KINDS = pytest.mark.parametrize("kind", ["http", "bentoml", "torchserve"])
PAGE = plain(b"<!doctype html><title>Log in</title>", b"text/html; charset=utf-8")
XHTML = plain(b"<html xmlns='http://www.w3.org/1999/xhtml'/>", b"application/xhtml+xml")
EMPTY = b"content-length: 0\r\n"


def ended(envoy: RunningEnvoy, kind: str, method: str = "POST", **sent: Any) -> Seen:
    headers = {"host": kind, **sent.pop("headers", {})}
    response = httpx.request(method, f"{envoy.url}/predictions/x", headers=headers, **sent)
    row = envoy.row(response.headers["x-request-id"])
    return row["result"], row["failure"]


@KINDS
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (bare(b"200 OK", EMPTY), NO_ANSWER),
        (bare(b"200 OK", EMPTY + b"content-type: application/json\r\n"), NO_ANSWER),
        (bare(b"206 Partial Content", EMPTY), NO_ANSWER),
        # They say themselves that there is nothing, or nothing yet.
        (bare(b"201 Created", EMPTY + b"location: /jobs/1\r\n"), SUCCESS),
        (bare(b"202 Accepted", EMPTY), SUCCESS),
        (bare(b"204 No Content"), SUCCESS),
        (bare(b"205 Reset Content", EMPTY), SUCCESS),
        (plain(b"cat", b"text/plain"), SUCCESS),
        (plain(b"[0.1,0.9]"), SUCCESS),
    ],
)
def test_an_empty_answer_is_none_but_where_its_status_says_so(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, method: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert ended(envoy, kind, method) == expected


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_may_be_answered_by_nothing(envoy: RunningEnvoy, server: BrokenServer, method: str) -> None:
    server.answer = bare(b"200 OK", EMPTY)

    assert ended(envoy, "http", method) == SUCCESS


@KINDS
@pytest.mark.parametrize("answer", [PAGE, XHTML])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"json": {"x": 1}}, NO_ANSWER),
        ({"json": {"x": 1}, "headers": {"accept": "application/json"}}, NO_ANSWER),
        ({"content": b"\xff", "headers": {"accept": "application/json"}}, NO_ANSWER),
        # What browsers' libraries send by themselves.
        ({"content": b"\xff", "headers": {"accept": "application/json, text/plain, */*"}}, NO_ANSWER),
        # A page was asked for, or may have been.
        ({"json": {"x": 1}, "headers": {"accept": "text/html"}}, SUCCESS),
        ({"json": {"x": 1}, "headers": {"accept": "text/*;q=0.5, application/json"}}, SUCCESS),
        ({"json": {"x": 1}, "headers": {"accept": "application/xhtml+xml, application/json"}}, SUCCESS),
        ({"data": {"x": 1}}, SUCCESS),
        ({"content": b"\xff"}, SUCCESS),
    ],
)
def test_a_page_is_no_answer_to_who_asked_for_json(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, answer: Answer, sent: dict[str, Any], expected: Seen
) -> None:
    server.answer = answer

    assert ended(envoy, kind, **sent) == expected


def test_a_page_answers_a_browser(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = PAGE
    assert ended(envoy, "http", "GET", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}) == SUCCESS
    assert ended(envoy, "http", "GET") == SUCCESS
    assert ended(envoy, "http", "GET", headers={"accept": "application/json"}) == NO_ANSWER


@pytest.mark.parametrize("kind", ["http", "openai"])
def test_a_document_of_a_problem_is_no_answer(envoy: RunningEnvoy, server: BrokenServer, kind: str) -> None:
    server.answer = plain(b'{"title":"Out of memory"}', b"application/problem+json")

    assert ended(envoy, kind) == NO_ANSWER
