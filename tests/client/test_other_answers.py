"""What answers in the place of Sluice is no outcome: a code and a sentence, and never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.client.live import command_at
from tests.servers.handled_servers import Quiet, serving

pytestmark = pytest.mark.slow

REFUSED = b'{"code": "nope", "detail": "\\u001b[31mNo.", "next_step": "Go.", "problems": [1, null]}'


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says the same to everybody; yields its address."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>", "no-sluice"),
        (200, b"[" * 100_000, "no-sluice"),
        (301, b"", "no-sluice"),
        (500, b"oops", "no-sluice"),
        (200, b"null", "answer-unknown"),
        (200, b'{"results": [{}], "next": null}', "answer-unknown"),
    ],
)
def test_other_answers_measure_nothing(tmp_path: Path, status: int, body: bytes, code: str) -> None:
    with answering(status, body) as url:
        sluice = command_at(url, "slc_any", tmp_path)
        listed = sluice.run("status", "--json")
        waited = sluice.run("wait", "canary", "--timeout", "1s", "--json")
    assert (listed.code, listed.json["code"]) == (3, code)
    assert (waited.code, waited.json["code"]) == (3, "timed-out")


def test_a_refusal_is_said_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    with answering(404, REFUSED) as url:
        ran = command_at(url, "slc_any", tmp_path).run("wait", "canary", "--timeout", "1h")
    assert (ran.code, ran.err) == (4, "[31mNo. (nope)\nGo.\n")
