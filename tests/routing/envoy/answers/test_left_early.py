"""A client that leaves once it has read the end of an answer has its answer, also where the body ends later."""

from typing import Any

import httpx
import pytest

from tests.factories.answers import OK, STREAM, chunk, event
from tests.routing.envoy.answers.edge import CHAT, MESSAGES, RESPONSES
from tests.servers.broken_servers import BrokenServer, say_and_hang
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

PLAIN = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

USAGE = {"prompt_tokens": 11, "completion_tokens": 22}
DELTA = event({"choices": [{"delta": {"content": "Hi"}}]})
LAST = event({"choices": [{"delta": {}, "finish_reason": "stop"}]}) + event({"choices": [], "usage": USAGE})
DONE = event("[DONE]")
FAILED = event({"error": {"message": "x"}})
DOCUMENT = b'{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":11,"completion_tokens":22}}'

START = event({"type": "message_start", "message": {"usage": {"input_tokens": 11}}}, "message_start")
PART = event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}, "content_block_delta")
ENDED = {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 22}}
ENDING = event({"type": "message_delta", **ENDED}, "message_delta")
STOP = event({"type": "message_stop"}, "message_stop")

RESPONSE = {"status": "completed", "output": [{"name": "f"}], "usage": {"input_tokens": 11, "output_tokens": 22}}
COMPLETED = event({"type": "response.completed", "response": RESPONSE}, "response.completed")
HALF = COMPLETED[: COMPLETED.index(b"data")]

TGI = event({"generated_text": "Hi", "details": {"generated_tokens": 22, "input_length": 11}})
LLAMA = event({"content": "Hi", "stop": True, "tokens_evaluated": 11, "tokens_predicted": 22})


def row_of_who_left(envoy: RunningEnvoy, kind: str, path: str, length: int) -> dict[str, Any]:
    """What is logged of a client that closes its connection behind so many bytes of the body."""
    received = 0
    with httpx.stream("POST", f"{envoy.url}{path}", json={}, headers={"host": kind}) as response:
        for part in response.iter_raw():
            received += len(part)
            if received == length:
                break
    row = envoy.row(response.headers["x-request-id"])
    assert row["flags"] == "DC"
    return row


@pytest.mark.parametrize(
    ("kind", "path", "head", "pieces"),
    [
        ("openai", CHAT, STREAM, [DELTA, LAST, DONE]),
        ("openai", CHAT, STREAM, [DELTA + LAST + DONE]),
        ("vllm", CHAT, STREAM, [DELTA, LAST, DONE[:8], DONE[8:]]),
        ("openai", RESPONSES, STREAM, [COMPLETED]),
        ("openai", RESPONSES, STREAM, [HALF, COMPLETED[len(HALF) :]]),
        ("anthropic", MESSAGES, STREAM, [START, PART, ENDING, STOP]),
        ("tgi", "/generate_stream", STREAM, [TGI]),
        ("llama-cpp", "/completion", STREAM, [LLAMA]),
        ("openai", CHAT, PLAIN, [DOCUMENT]),
        ("openai", CHAT, PLAIN, [DOCUMENT[:20], DOCUMENT[20:]]),
    ],
)
def test_who_leaves_at_the_end_of_an_answer_has_it(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, head: bytes, pieces: list[bytes]
) -> None:
    server.answer = say_and_hang(head, *map(chunk, pieces))

    row = row_of_who_left(envoy, kind, path, len(b"".join(pieces)))

    assert (row["result"], row["failure"], row["finish"]) == ("success", None, "complete")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (11, 22)


@pytest.mark.parametrize(
    ("path", "head", "pieces", "failure"),
    [
        (CHAT, STREAM, [DONE], "no-answer"),
        (CHAT, STREAM, [DELTA, FAILED], "error-in-answer"),
        (CHAT, STREAM, [DELTA, FAILED, DONE], "error-in-answer"),
        (CHAT, STREAM, [DELTA, event("{"), DONE], "no-answer"),
        (CHAT, PLAIN, [b'{"error": {"message": "x"}}'], "error-in-answer"),
        (CHAT, PLAIN, [b'{"choices": []}'], "no-answer"),
    ],
)
def test_it_is_what_its_body_says(
    envoy: RunningEnvoy, server: BrokenServer, path: str, head: bytes, pieces: list[bytes], failure: str
) -> None:
    server.answer = say_and_hang(head, *map(chunk, pieces))

    row = row_of_who_left(envoy, "openai", path, len(b"".join(pieces)))

    assert (row["result"], row["failure"]) == ("failed", failure)


def test_what_a_protocol_says_nothing_of_is_complete_as_a_document(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = say_and_hang(PLAIN, chunk(DOCUMENT))

    row = row_of_who_left(envoy, "openai", "/v1/unknown", len(DOCUMENT))

    assert (row["result"], row["failure"], row["finish"]) == ("unknown", "undocumented", "complete")


@pytest.mark.parametrize(
    ("kind", "path", "head", "pieces"),
    [
        ("openai", CHAT, STREAM, [DELTA, LAST]),
        ("openai", RESPONSES, STREAM, [HALF]),
        ("anthropic", MESSAGES, STREAM, [START, PART, ENDING]),
        ("openai", CHAT, PLAIN, [DOCUMENT[:-1]]),
        # No mark of the end is documented.
        ("triton", "/v2/models/a/generate_stream", STREAM, [event({"text_output": "Hi"})]),
        ("openai", "/v1/unknown", STREAM, [DELTA, DONE]),
    ],
)
def test_who_leaves_before_has_abandoned_it(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, head: bytes, pieces: list[bytes]
) -> None:
    server.answer = say_and_hang(head, *map(chunk, pieces))

    row = row_of_who_left(envoy, kind, path, len(b"".join(pieces)))

    assert (row["result"], row["finish"]) == ("abandoned", "client")
