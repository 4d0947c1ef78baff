"""Where OpenAI's and Anthropic's own clients find the id of an answer, and what a request is that they repeat."""

from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.factories.answers import OK, chunk, document, events, named_events
from tests.routing.envoy.answers.examples import COUNTED, DONE, ENDING, HI, MESSAGE, START, STOP, TEXT_PART, delta
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "user": "alice"}
ASKED: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": HI, "finish_reason": "stop"}],
    "usage": COUNTED,
}


def openai_client(envoy: RunningEnvoy, **options: Any) -> openai.OpenAI:
    headers = {"host": "reading-openai"}
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="k", default_headers=headers, **options)


def anthropic_client(envoy: RunningEnvoy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=envoy.url, api_key="k", default_headers={"host": "anthropic"})


def test_openais_client_has_it(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = document(ANSWER)
    with openai_client(envoy) as client:
        answer = client.chat.completions.create(**CHAT)

    assert envoy.row(str(answer._request_id))["result"] == "success"


def test_openais_client_has_it_of_a_stream(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = events(delta(HI), delta(finish="stop"), {**delta(), "choices": [], "usage": COUNTED}, DONE)
    with openai_client(envoy) as client:
        stream = client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
        assert "".join(part.choices[0].delta.content or "" for part in stream if part.choices) == "Hi"

    row = envoy.row(stream.response.headers["x-request-id"])
    assert (row["result"], row["prompt_tokens"]) == ("success", COUNTED["prompt_tokens"])


def test_anthropics_client_has_it_in_the_headers_alone(envoy: RunningEnvoy, server: BrokenServer) -> None:
    head = OK + b"content-type: application/json\r\nrequest-id: req_of_the_server\r\ntransfer-encoding: chunked\r\n\r\n"
    server.answer = say(head, chunk(httpx.Response(200, json=MESSAGE).content), b"0\r\n\r\n")
    with anthropic_client(envoy) as client:
        answer = client.messages.with_raw_response.create(**ASKED)

    assert answer.parse()._request_id == "req_of_the_server"
    assert envoy.row(answer.headers["x-request-id"])["result"] == "success"


def test_anthropics_client_has_it_of_a_stream(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = named_events(START, TEXT_PART, ENDING, STOP)
    with anthropic_client(envoy) as client, client.messages.create(**ASKED, stream=True) as stream:
        assert [event.type for event in stream][-1] == "message_stop"

    assert envoy.row(stream.response.headers["x-request-id"])["result"] == "success"


def test_what_a_client_repeats_is_a_request_of_its_own(envoy: RunningEnvoy, server: BrokenServer) -> None:
    told: list[str] = []
    server.answer = say(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}")

    def second(request: httpx.Request) -> None:
        if request.headers["x-stainless-retry-count"] == "1":
            server.answer = document(ANSWER)

    def heard(response: httpx.Response) -> None:
        told.append(response.headers["x-request-id"])

    watched = httpx.Client(event_hooks={"request": [second], "response": [heard]})
    with openai_client(envoy, max_retries=2, http_client=watched) as client:
        client.chat.completions.create(**CHAT)

    rows = [envoy.row(each) for each in told]
    assert [row["result"] for row in rows] == ["failed", "success"]
    assert len(set(told)) == 2
    assert rows[0]["unit"] == rows[1]["unit"] is not None
