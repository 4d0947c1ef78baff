"""The front: what it lets through to the web app as it is, what it answers itself, and whom it sends away."""

import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from controlplane.install.front import OWN_FILES, Patience
from controlplane.problems.request_limits import LARGEST_BODY
from tests.servers.processes import stopping
from tests.servers.slow_sockets import KINDS, SlowKind, slow_sockets
from tests.visitors.website import Website, run_web_app, start_app
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SHARE = 40
HASTE = Patience(idle=2, headers=2, request=3, answer=20, exchange=4)
FILL = """
import django
django.setup()
from controlplane.models import Role, User
from controlplane.accounts.tokens import issue_token
User.objects.create_user("vera", role=Role.VIEWER)
"""
BELOW_THE_API = ("/api/v1/backends", "/ofrep/v1/evaluate/flags", "/api", "/api?page=1")
PAGES = ("/login", "/apiary")


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """A hasty front with few connections."""
    directory = tmp_path_factory.mktemp("front")
    with run_web_app(directory, FILL, open_files=OWN_FILES + 2 * SHARE, patience=HASTE) as running:
        yield running


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "next_step",
        "problems",
        "more_problems",
        "request_id",
    }
    assert body["status"] == answer.status_code
    return body


def say(website: Website, text: bytes, *, source: str = "127.0.0.1") -> bytes:
    """All that the server says to a text until it closes."""
    with socket.create_connection(("127.0.0.1", website.port), source_address=(source, 0)) as client:
        client.sendall(text)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_the_callers_request_id_stays_as_it_is(website: Website) -> None:
    # One that is a UUID too: Envoy would write what it decided about tracing into it.
    for request_id in ("my-id", "4005fa12-5241-4639-b11b-c113f8a35ca3"):
        answer = httpx.get(f"{website.address}/api/v1/", headers={"x-request-id": request_id})
        assert answer.headers.get_list("x-request-id") == [request_id]
        assert problem(answer)["request_id"] == request_id


def test_a_request_without_an_id_gets_one_of_its_own(website: Website) -> None:
    ids = [httpx.get(f"{website.address}/api/v1/").headers["x-request-id"] for _ in range(2)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(("source", "scheme"), [("127.0.0.1", b"https"), ("127.0.0.2", b"http")])
def test_only_a_proxy_on_this_machine_says_that_a_request_came_by_tls(
    website: Website, source: str, scheme: bytes
) -> None:
    # A form from the origin https://sluice is the app's own just when the app knows that it is reached by https.
    head = (
        b"POST /login HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\nOrigin: https://sluice\r\n"
        b"Cookie: sluice_csrf=" + b"a" * 32 + b"\r\nX-Forwarded-Proto: https\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 52\r\n\r\n"
    )
    answer = say(website, head + b"csrfmiddlewaretoken=" + b"a" * 32, source=source)
    assert (b"HTTP/1.1 200" in answer) == (scheme == b"https")
    assert (b"HTTP/1.1 403" in answer) == (scheme == b"http")


@pytest.mark.parametrize("size", [LARGEST_BODY, LARGEST_BODY + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_as_large_as_is_said(website: Website, size: int, *, chunked: bool) -> None:
    content = iter([b" " * (size // 2), b" " * (size - size // 2)]) if chunked else b" " * size
    answer = httpx.post(f"{website.address}/api/v1/events", content=content)
    assert answer.status_code == (401 if size == LARGEST_BODY else 413)
    if answer.status_code == 413:
        assert f"{LARGEST_BODY} bytes" in problem(answer)["next_step"]


WRONG = {"authorization": "Bearer nobody", "content-type": "application/json"}


@pytest.mark.parametrize("path", ["/api/v1/backends", "/api/v1/events", "/ofrep/v1/evaluate/flags", "/login"])
@pytest.mark.parametrize("keeps", [True, False])
def test_who_is_refused_before_the_body_was_read_is_told_so(website: Website, path: str, keeps: bool) -> None:
    headers = {**WRONG, "connection": "keep-alive" if keeps else "close"}
    with httpx.Client(base_url=website.address, headers=headers) as client:
        answers = [client.post(path, content=b" " * (1 << 20)) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {403 if path == "/login" else 401}
    if path != "/login":
        assert {answer.json()["status"] for answer in answers} == {401}


@pytest.mark.parametrize("path", BELOW_THE_API)
def test_its_own_answers_below_the_api_are_problems(website: Website, path: str) -> None:
    answer = httpx.post(f"{website.address}{path}", content=b" " * (LARGEST_BODY + 1))
    assert problem(answer)["code"] == "request-too-large"


@pytest.mark.parametrize("path", PAGES)
def test_its_own_answers_for_pages_are_a_sentence(website: Website, path: str) -> None:
    answer = httpx.post(f"{website.address}{path}", content=b" " * (LARGEST_BODY + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("The request is too large. Send at most")


def test_large_headers_and_nonsense_are_problems(website: Website) -> None:
    answer = httpx.get(f"{website.address}/api/v1/", headers={"x-large": "a" * 70_000})
    assert problem(answer)["code"] == "headers-too-large"
    status, _, rest = say(website, b"NONSENSE\r\n\r\n").partition(b"\r\n")
    assert status == b"HTTP/1.1 400 Bad Request"
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["code"] == "bad-request"


def test_headers_that_it_takes_reach_the_app(website: Website) -> None:
    answer = httpx.get(f"{website.address}/api/v1/?{'a' * 30_000}", headers={"x-large": "a" * 20_000})
    assert problem(answer)["status"] == 401


def test_proxies_that_speak_http_1_0_are_served(website: Website) -> None:
    assert say(website, b"GET /login HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_slow_connection_is_closed_after_a_while(website: Website, kind: SlowKind) -> None:
    with slow_sockets(website.port, kind, 3) as held:
        wait_until(lambda: held.closed >= 3)


def test_who_fills_the_connections_of_others_leaves_those_of_this_machine(website: Website) -> None:
    with slow_sockets(website.port, KINDS[0], SHARE, source="127.0.0.2"):
        wait_until(lambda: _is_refused(website, "127.0.0.2"))
        assert httpx.get(f"{website.address}/login").status_code == 200


def _is_refused(website: Website, source: str) -> bool:
    try:
        return say(website, b"GET /login HTTP/1.0\r\n\r\n", source=source) == b""
    except ConnectionResetError:
        return True


def test_an_app_that_is_away_is_a_problem_and_comes_back(website: Website) -> None:
    website.app.send_signal(signal.SIGTERM)
    website.app.wait()
    away = httpx.get(f"{website.address}/api/v1/")
    assert problem(away)["code"] == "web-app-away"
    page = httpx.get(f"{website.address}/login")
    assert (page.status_code, page.text[:29]) == (503, "The web app does not answer. ")
    with stopping(start_app(website.environment)):
        wait_until(lambda: httpx.get(f"{website.address}/login").status_code == 200)
