"""Which answer belongs to which path: as the makers of servers document them, however a path is written.

RFC 3986 has a letter and its percent-encoding stand for the same; servers decode paths before they route.
"""

from typing import Any

import httpx
import pytest

from tests.factories.answers import document, named_events, plain
from tests.routing.envoy.answers.edge import CHAT, MESSAGES, NO_ANSWER, SUCCESS, Seen
from tests.routing.envoy.answers.examples import (
    BLOCK,
    BLOCK_END,
    ENDING,
    HI,
    MESSAGE,
    START,
    STOP,
    TEXT_PART,
    VECTORS,
    choice,
)
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

UNDOCUMENTED: Seen = ("unknown", "undocumented")


def row_of(envoy: RunningEnvoy, path: str, host: str, method: str = "POST") -> dict[str, Any]:
    """What is logged of a request whose path is sent as it stands here."""
    url = httpx.URL(envoy.url).copy_with(raw_path=path.encode())
    response = httpx.request(method, url, headers={"host": host}, content=b"{}" if method == "POST" else None)
    return envoy.row(response.headers["x-request-id"])


def seen(envoy: RunningEnvoy, path: str, host: str = "openai", method: str = "POST") -> Seen:
    row = row_of(envoy, path, host, method)
    return row["result"], row["failure"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat%2Fcompletions",
        "/v1/chat%2fcompletions/",
        "/v1/chat/%63ompletions",
        "//v1//chat/completions",
        "/v1/chat/completions/%2F",
        "/v1/chat/completions/?x=1",
        "/V1/Chat/Completions",
        "/v1/x/../chat/completions",
        "/tenants/7/v1/chat/completions",
        "/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
        "/v1/chat/completions?path=/v1/embeddings",
    ],
)
def test_a_path_counts_however_it_is_written(envoy: RunningEnvoy, server: BrokenServer, path: str) -> None:
    server.answer = document(choice(HI))
    assert seen(envoy, path) == SUCCESS

    server.answer = document(VECTORS)
    assert seen(envoy, path) == NO_ANSWER


@pytest.mark.parametrize(
    ("kind", "path", "content"),
    [
        # Servers that speak the API of another.
        ("anthropic", CHAT, choice(HI)),
        ("openai", MESSAGES, MESSAGE),
        ("openai", "/anthropic/v1/messages", MESSAGE),
        ("vllm", MESSAGES, MESSAGE),
        ("llama-cpp", MESSAGES, MESSAGE),
        ("kserve-v2", "/openai/v1/chat/completions", choice(HI)),
        ("kserve-v2", "/openai/v1/embeddings", VECTORS),
        ("triton", CHAT, choice(HI)),
        # KServe's first protocol, and the generate extension.
        ("kserve-v2", "/v1/models/m:predict", {"predictions": [[0.5]]}),
        ("kserve-v2", "/v1/models/m:explain", {"explanations": [{"anchor": ["a"]}]}),
        ("kserve-v2", "/v2/models/m/generate", {"text_output": "Hi", "model_name": "m"}),
        # An output that is called as a member of another kind's answer.
        ("triton", "/v2/models/m/generate", {"data": [1.5], "model_name": "m"}),
        ("triton", "/v2/models/m/generate", {"text": "Hi"}),
        # What is beside completions.
        ("anthropic", "/v1/messages/count_tokens", {"input_tokens": 7}),
        ("openai", "/v1/responses/input_tokens", {"object": "response.input_tokens", "input_tokens": 7}),
        ("anthropic", "/v1/messages/batches", {"id": "msgbatch_1", "processing_status": "in_progress"}),
        ("openai", "/v1/threads/t_1/messages", {"id": "msg_1", "content": [{"type": "text", "text": {"value": "Hi"}}]}),
        ("openai", "/v1/files", {"id": "file-1", "object": "file"}),
        ("vllm", "/tokenize", {"tokens": [1, 2], "count": 2, "max_model_len": 8}),
        ("llama-cpp", "/tokenize", {"tokens": [1, 2]}),
        ("tgi", "/tokenize", [{"id": 1, "text": "Hi", "start": 0, "stop": 2}]),
        ("vllm", "/detokenize", {"prompt": "Hi"}),
        ("llama-cpp", "/detokenize", {"content": "Hi"}),
    ],
)
def test_what_servers_answer_beside_their_own(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, content: Any
) -> None:
    server.answer = document(content)
    assert seen(envoy, path, kind) == SUCCESS

    server.answer = document({})
    assert seen(envoy, path, kind) == NO_ANSWER


def test_a_stream_of_messages_tells_its_tokens_whoever_sends_it(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = named_events(START, BLOCK, TEXT_PART, BLOCK_END, ENDING, STOP)

    row = row_of(envoy, MESSAGES, "vllm")

    assert (row["result"], row["prompt_tokens"], row["completion_tokens"]) == ("success", 11, 22)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("openai", "/"),
        ("openai", "/v1"),
        ("openai", "/chat"),
        ("openai", "/v1/chat/completions;a=1"),
        ("openai", "/v1/chat/completions%20"),
        ("openai", "/v1/chat/completions%3Fx=1"),
        ("openai", "/v1/chat/completions.json"),
        ("openai", "/api/chat"),
        ("vllm", "/invocations"),
        ("anthropic", "/v1/complete"),
        ("tgi", "/embed"),
        ("triton", "/v2/models/m/explain"),
        ("llama-cpp", "/slots/1"),
    ],
)
@pytest.mark.parametrize(
    "answer", [document({}), document(choice(HI)), plain(b"oops", b"text/plain"), plain(b"x", b"image/png")]
)
def test_nobody_knows_what_an_answer_to_another_path_is(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Answer
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == UNDOCUMENTED


@pytest.mark.parametrize("kind", ["http", "bentoml", "torchserve"])
def test_where_no_protocol_says_anything_all_of_its_paths_are_the_models(
    envoy: RunningEnvoy, server: BrokenServer, kind: str
) -> None:
    server.answer = document({})

    assert seen(envoy, CHAT, kind) == SUCCESS


def test_a_get_is_answered_by_its_status(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = document({})

    assert seen(envoy, "/v1/models", method="GET") == SUCCESS
