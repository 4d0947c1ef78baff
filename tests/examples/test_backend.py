"""The example backend over real HTTP: it speaks the protocol and keeps to its profile."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.servers.processes import free_port, stopping

TRANSPORT = httpx.HTTPTransport(retries=8)


@contextmanager
def backend(**profile: float) -> Iterator[httpx.Client]:
    """A running backend with that profile, and a client for it."""
    port = free_port()
    options = [word for name, value in profile.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "examples.backend", "--port", str(port), "--seconds", "0.001", *options]
    address = f"http://127.0.0.1:{port}"
    with stopping(subprocess.Popen(command)), httpx.Client(base_url=address, transport=TRANSPORT) as client:
        yield client


def ask(client: httpx.Client, question: str = "What is 17 + 25?", **more: Any) -> httpx.Response:
    body = {"model": "adder", "messages": [{"role": "user", "content": question}], **more}
    return client.post("/v1/chat/completions", json=body)


@pytest.fixture(scope="module")
def good() -> Iterator[httpx.Client]:
    with backend(quality=1.0) as client:
        client.get("/health").raise_for_status()
        yield client


def test_a_plain_answer_has_text_and_usage(good: httpx.Client) -> None:
    answer = ask(good).json()
    assert answer["choices"][0]["message"]["content"] == "The sum is 42."
    assert answer["usage"] == {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12}


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_has_the_same_text_and_usage_only_on_request(good: httpx.Client, usage: bool) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
    lines = [line for line in ask(good, stream=True, **options).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    words = [event["choices"][0]["delta"].get("content", "") for event in events if event["choices"]]
    assert "".join(words) == "The sum is 42."
    assert ("usage" in events[-1]) is usage


@pytest.mark.parametrize("question", ["", "Hello", "1 + x"])
def test_what_it_cannot_do_is_the_callers_error(good: httpx.Client, question: str) -> None:
    answer = ask(good, question)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_nonsense_is_the_callers_error(good: httpx.Client) -> None:
    for body in (b"", b"{", b"[]", b'{"messages": 3}', b'{"messages": [7]}'):
        assert good.post("/v1/chat/completions", content=body).status_code == 400


def test_it_fails_as_often_as_stated_and_says_so() -> None:
    with backend(error_rate=0.5) as client:
        client.get("/health").raise_for_status()
        answers = [ask(client) for _ in range(200)]
        failed = [answer for answer in answers if answer.status_code == 500]
        assert 70 < len(failed) < 130
        assert failed[0].json()["error"]["type"] == "server_error"
        assert client.get("/counts").json() == {"requests": 200, "deliberate_errors": len(failed)}
