"""How a request ended, by what Envoy's documentation says of its response flags and gRPC's of its status codes."""

from typing import Any

import pytest

from routing.access_log import Ending, Result, ending_of, read_line
from tests.factories.log_lines import ANSWER, make_line


def ended(facts: dict[str, Any] | None = None, **changes: Any) -> Ending:
    return ending_of(read_line(make_line(facts, **{"method": "POST", **changes})))


@pytest.mark.parametrize(
    ("status", "flags", "result"),
    [
        (200, "-", Result.SUCCESS),
        (204, "-", Result.SUCCESS),
        (205, "-", Result.SUCCESS),
        # What nobody asks for by a POST.
        (100, "-", Result.FAILED),
        (101, "-", Result.FAILED),
        (103, "-", Result.FAILED),
        (199, "-", Result.FAILED),
        (304, "-", Result.FAILED),
        (301, "-", Result.REDIRECTED),
        (308, "-", Result.REDIRECTED),
        (400, "-", Result.REJECTED),
        (408, "-", Result.REJECTED),
        (499, "-", Result.REJECTED),
        (500, "-", Result.FAILED),
        (599, "-", Result.FAILED),
        (600, "-", Result.FAILED),
        (999, "-", Result.FAILED),
        # A response that had begun, and did not end as it should.
        (200, "UPE", Result.FAILED),
        (200, "UR", Result.FAILED),
        (200, "UC", Result.FAILED),
        (200, "LR", Result.FAILED),
        (200, "UT", Result.TIMED_OUT),
        (200, "SI", Result.TIMED_OUT),
        (200, "DT", Result.TIMED_OUT),
        (200, "UMSDR", Result.TIMED_OUT),
        (503, "UF,URX", Result.FAILED),
        (503, "UH", Result.FAILED),
        (503, "UO", Result.FAILED),
        (504, "UT", Result.TIMED_OUT),
        # Clients.
        (0, "DC", Result.ABANDONED),
        (200, "DC", Result.ABANDONED),
        (200, "DR", Result.ABANDONED),
        (400, "DPE", Result.ABANDONED),
        (408, "SI", Result.ABANDONED),
        # A backend that had failed already is not excused by the client that left then.
        (500, "DC", Result.FAILED),
        (200, "DC,UC", Result.FAILED),
        (200, "DC,UT", Result.TIMED_OUT),
        # Sluice.
        (429, "RL", Result.REFUSED),
        (503, "OM", Result.REFUSED),
        (503, "NC", Result.REFUSED),
        (404, "NR", Result.REFUSED),
    ],
)
def test_a_status_and_flags_say_whose_doing_it_was(status: int, flags: str, result: Result) -> None:
    assert ended(status=status, flags=flags).result is result


@pytest.mark.parametrize("status", [302, 401, 404, 413, 415, 429])
def test_what_no_backend_answered_sluice_refused(status: int) -> None:
    assert ended(status=status, answered_by=None).result is Result.REFUSED


def test_an_answer_by_the_fallback_is_a_failure_of_the_backend() -> None:
    assert ended(answered_by={**ANSWER, "backend": "api"}) == Ending(Result.FAILED, "fell-back")


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (0, Result.SUCCESS),
        # A client that cancels a call gets no trailers.
        (1, Result.FAILED),
        (2, Result.FAILED),
        (3, Result.REJECTED),
        (4, Result.TIMED_OUT),
        (5, Result.REJECTED),
        (7, Result.REJECTED),
        (8, Result.REJECTED),
        (12, Result.FAILED),
        (13, Result.FAILED),
        (14, Result.FAILED),
        (15, Result.FAILED),
        (16, Result.REJECTED),
        (None, Result.FAILED),
        (17, Result.FAILED),
        ("odd", Result.FAILED),
        ("-1", Result.FAILED),
        ("99999999999", Result.FAILED),
        ("0", Result.SUCCESS),
    ],
)
def test_grpc_tells_it_in_its_trailers(code: Any, result: Result) -> None:
    assert ended(kind="application/grpc+proto", grpc_status=code).result is result


@pytest.mark.parametrize(
    ("method", "status", "condition", "result"),
    [
        ("GET", 101, None, Result.SUCCESS),
        ("CONNECT", 101, None, Result.SUCCESS),
        ("GET", 102, None, Result.FAILED),
        ("HEAD", 101, None, Result.FAILED),
        ("GET", 304, "W", Result.SUCCESS),
        ("HEAD", 304, '"', Result.SUCCESS),
        # RFC 9110, 15.4.5: it answers a conditional GET or HEAD.
        ("GET", 304, None, Result.FAILED),
        ("HEAD", 304, None, Result.FAILED),
        ("PUT", 304, '"', Result.FAILED),
        ("GET", 204, None, Result.SUCCESS),
    ],
)
def test_who_asks_by_a_method_may_get_what_a_post_may_not(
    method: str, status: int, condition: str | None, result: Result
) -> None:
    assert ended(method=method, status=status, condition=condition).result is result


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY"])
@pytest.mark.parametrize(
    ("kind", "result"),
    [("text/html; charset=utf-8", Result.FAILED), ("application/problem+json", Result.FAILED), (None, Result.SUCCESS)],
)
def test_no_method_is_answered_by_a_page_that_nobody_asked_for(method: str, kind: str | None, result: Result) -> None:
    assert ended(method=method, sent_type="application/json", kind=kind).result is result
    assert ended(method=method, sent_type="application/json", accepted="text/html", kind="text/html").result is (
        Result.SUCCESS
    )


@pytest.mark.parametrize("kind", ["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"])
@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (None, Ending(Result.FAILED, "broke-off")),
        ("odd", Ending(Result.FAILED, "server-error")),
        # Nothing else is answered.
        ("0", Ending(Result.FAILED, "no-answer")),
        ("4", Ending(Result.TIMED_OUT, "timed-out")),
        ("5", Ending(Result.REJECTED)),
        ("13", Ending(Result.FAILED, "server-error")),
    ],
)
def test_a_status_among_the_headers_is_for_calls_without_an_answer(kind: str, code: str | None, ending: Ending) -> None:
    read = {"answer": "whole\ntrue"}
    assert ended(read, kind=kind, grpc_head_status=code, body_bytes=0) == ending
    assert ended(kind=kind, grpc_head_status=code) == Ending(Result.UNKNOWN, "unreadable")


@pytest.mark.parametrize("kind", ["text/html", "application/json", None])
@pytest.mark.parametrize("sent", ["application/grpc", "application/grpc+proto", "application/grpc-web"])
def test_a_call_of_grpc_is_answered_by_grpc(sent: str, kind: str | None) -> None:
    assert ended(sent_type=sent, kind=kind, grpc_status=2) == Ending(Result.FAILED, "no-answer")


def test_of_a_get_nothing_is_asked_but_its_status() -> None:
    openai = {**ANSWER, "protocol": "openai"}

    assert ended(method="GET", path="/v1/completions", answered_by=openai, kind="text/html").result is Result.SUCCESS


@pytest.mark.parametrize("flags", ["UC", "DC", "UR", "DC,UC"])
def test_how_what_became_a_websocket_ended_is_unknown(flags: str) -> None:
    """By RFC 6455 the server closes the connection first."""
    assert ended(method="GET", status=101, flags=flags) == Ending(Result.UNKNOWN, "unreadable")
    assert ended(method="POST", status=101, flags=flags).result is not Result.UNKNOWN


@pytest.mark.parametrize(
    ("method", "path", "result"),
    [
        ("GET", "/v1/models", Result.FAILED),
        ("GET", "/v1/responses/resp_1", Result.FAILED),
        ("POST", "/v1/audio/speech", Result.FAILED),
        ("GET", "/v1/fine_tuning/jobs/ftjob-1", Result.SUCCESS),
        ("DELETE", "/v1/models/a", Result.SUCCESS),
    ],
)
def test_a_document_of_an_error_is_one_whatever_was_asked(method: str, path: str, result: Result) -> None:
    openai = {**ANSWER, "protocol": "openai"}
    told = {"answer": "whole\ntrue\nerror\ntrue"}

    assert ended(told, method=method, path=path, answered_by=openai).result is result
