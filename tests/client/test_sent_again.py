"""A write whose answer was lost is sent again, and done once."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.client.live import command_at, token_of
from tests.servers.handled_servers import Quiet, serving
from tests.servers.processes import free_port
from tests.visitors.website import Website

pytestmark = pytest.mark.slow


@contextmanager
def losing_answers(to: str, lost: int, keys: list[str]) -> Iterator[str]:
    """A proxy that hands on all that comes, and loses the first answers to writes; yields its address."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.post(f"{to}{self.path}", content=body, headers=dict(self.headers))
            keys.append(self.headers["Idempotency-Key"])
            if len(keys) > lost:
                self.send_response(answer.status_code)
                self.end_headers()
                self.wfile.write(answer.content)

    with serving(Handler) as url:
        yield url


def test_what_was_done_is_told_once_an_answer_comes(website: Website, tmp_path: Path) -> None:
    keys: list[str] = []
    with losing_answers(website.address, 2, keys) as url:
        ran = command_at(url, token_of(website), tmp_path).run("halt", "lost", "--reason", "wrong", "--json")
    assert (ran.code, ran.json["experiment"]["state"]) == (0, "halted")
    assert (len(keys), len(set(keys))) == (3, 1)


def test_a_file_that_is_applied_twice_says_that_it_changed_something(website: Website, tmp_path: Path) -> None:
    file, keys = tmp_path / "layer.yaml", list[str]()
    file.write_text("layers:\n  - key: sent-again\n    name: Sent again\n")
    with losing_answers(website.address, 1, keys) as url:
        ran = command_at(url, token_of(website), tmp_path).run("apply", str(file), "--detailed-exitcode")
    assert (ran.code, len(keys)) == (10, 2)


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    ran = command_at(f"http://127.0.0.1:{free_port()}", "slc_any", tmp_path).run("start", "canary", "--json")
    assert (ran.code, ran.json["code"]) == (3, "unreachable")
