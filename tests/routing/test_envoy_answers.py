"""What answers hold, kind by kind: what is documented is no failure, and what looks like it but is none is one.

The shapes are those of the documentation of OpenAI, Azure, OpenRouter, vLLM, llama.cpp, TGI, Ollama, Anthropic and
Triton.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.kinds import KINDS
from routing.table import Unit, UnitSource
from tests.routing.answers import OK, STREAM, chunk, document, event, events, named_events, plain, stream
from tests.routing.broken_servers import Answer, BrokenServer, end, run_broken_server, say
from tests.routing.envoys import RunningEnvoy, run_envoy
from tests.routing.tables import make_backend, make_endpoint, make_table

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
READING = "reading"

SUCCESS = ("success", None)
NO_ANSWER = ("failed", "no-answer")
ERROR = ("failed", "error-in-answer")
UNFINISHED = ("failed", "unfinished")
NOT_AS_ASKED = ("failed", "not-as-asked")
UNREADABLE = ("unknown", "unreadable")

Seen = tuple[str, str | None]


@pytest.fixture(scope="module")
def server() -> Iterator[BrokenServer]:
    with run_broken_server(end) as running:
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    """An endpoint for each kind, by its host, and for each one that finds the unit in the body, so that it is read."""
    unit = Unit(UnitSource.BODY, "user")
    endpoints = [replace(make_endpoint(key, path_prefix="/", backend=key), hosts=(key,)) for key in sorted(KINDS)]
    reading = [
        replace(endpoint, key=f"{READING}-{endpoint.key}", hosts=(f"{READING}-{endpoint.key}",), unit=unit)
        for endpoint in endpoints
    ]
    backends = tuple(make_backend(key, server.address, protocol=key) for key in KINDS)
    table = make_table(*endpoints, *reading, backends=backends)
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def row_of(envoy: RunningEnvoy, path: str, host: str = "openai", sent: Any = None) -> dict[str, Any]:
    """What is logged of one request."""
    response = httpx.post(f"{envoy.url}{path}", json=sent or {}, headers={"host": host})
    return envoy.row(response.headers["x-request-id"])


def seen(envoy: RunningEnvoy, path: str, host: str = "openai", sent: Any = None) -> Seen:
    row = row_of(envoy, path, host, sent)
    return row["result"], row["failure"]


def choice(message: Any = None, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message or {}, "finish_reason": finish, **more}]}


def delta(content: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    held = {"content": content} if isinstance(content, str) else content or {}
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": held, "finish_reason": finish}],
        **more,
    }


ROLE = {"role": "assistant", "content": ""}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"error": {"a": 1}}'}}
DONE = "[DONE]"
COUNTED = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
HI = {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (document(choice(HI)), SUCCESS),
        # Only at the top is it the answer's own.
        (document({"x": choice(HI)}), NO_ANSWER),
        (document({"x": {"choices": []}}), NO_ANSWER),
        (document([choice(HI)]), NO_ANSWER),
        (document({"message": '"choices": [{"message": {"content": "Hi"}}]'}), NO_ANSWER),
        (document(choice({"content": '", "error": {"message": "x"}'})), SUCCESS),
        (document(choice({"content": '{"error": {"message": "x"}}'})), SUCCESS),
        (document(choice({"content": None, "tool_calls": [CALL]})), SUCCESS),
        (document(choice({"content": "Hi", "x": {"error": {"message": "x"}}})), SUCCESS),
        (document({**choice(HI), "metadata": {"error": "x"}}), SUCCESS),
        (plain(b'{"ch\\u006fices": [{"m\\u0065ssage": {"content": "\\u00e4"}}]}'), SUCCESS),
        (plain(b'\xef\xbb\xbf {"choices": [{"text": "Hi"}]}\r\n\t '), SUCCESS),
        # What says that it failed, beside what it holds or within a choice.
        (document({**choice(HI), "error": {"message": "x"}}), ERROR),
        (document({**choice(HI), "error": "x"}), ERROR),
        (plain(b'{"\\u0065rror": {"message": "x"}}'), ERROR),
        (document(choice(HI, error={"code": 502, "message": "Provider disconnected"})), ERROR),
        (document(choice(HI, finish="error")), ERROR),
        (document({**choice(HI), "error": None}), SUCCESS),
        (document(choice(HI, error=None)), SUCCESS),
        # It holds nothing.
        (document(choice({"role": "assistant", "content": ""})), NO_ANSWER),
        (document(choice({"role": "assistant", "content": None})), NO_ANSWER),
        (document(choice({"role": "assistant", "tool_calls": []})), NO_ANSWER),
        (document({"choices": [{}]}), NO_ANSWER),
        # Or says why.
        (document(choice({"content": None}, finish="content_filter")), SUCCESS),
        (document(choice({"content": "", "reasoning_content": "Hm."}, finish="length")), SUCCESS),
        (document(choice({"content": None, "refusal": "I will not."})), SUCCESS),
        (document(choice({"content": None, "audio": {"id": "audio_1", "data": "UklGR"}})), SUCCESS),
        (document(choice({"content": None, "function_call": {"name": "f", "arguments": "{}"}})), SUCCESS),
    ],
)
def test_a_member_counts_where_the_api_has_it(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT) == expected


SOUND = json.dumps(choice({"content": 'a "b" \\ \u00e4 \n'}, numbers=[0, -1.5e-7, True, False, None, [], {}])).encode()


@pytest.mark.parametrize(
    "body",
    [
        SOUND[:-1],
        SOUND[:40],
        SOUND + b"}",
        SOUND + b"x",
        SOUND + SOUND,
        SOUND + b"\n" + SOUND,
        b"x" + SOUND,
        SOUND.replace(b"[0,", b"[0"),
        SOUND.replace(b"[0,", b"[,0,"),
        SOUND.replace(b"[0,", b"[01,"),
        SOUND.replace(b"[0,", b"[.5,"),
        SOUND.replace(b"[0,", b"[+1,"),
        SOUND.replace(b"[0,", b"[1.,"),
        SOUND.replace(b"[0,", b"[1e,"),
        SOUND.replace(b"[0,", b"[NaN,"),
        SOUND.replace(b"true", b"True"),
        SOUND.replace(b"null", b"nul"),
        SOUND.replace(b"null", b"nulls"),
        SOUND.replace(b"{}]", b"{}}"),
        SOUND.replace(b"{}]", b"{},]"),
        SOUND.replace(b"{}]", b'{"a"}]'),
        SOUND.replace(b"{}]", b'{"a" 1}]'),
        SOUND.replace(b"{}]", b'{"a": 1,}]'),
        SOUND.replace(b"{}]", b"{a: 1}]"),
        SOUND.replace(b"{}]", b"{1: 1}]"),
        SOUND.replace(b"{}]", b"{'a': 1}]"),
        SOUND.replace(b"{}]", b'"a" "b"]'),
        SOUND.replace(b"\\n", b"\n"),
        SOUND.replace(b"\\n", b"\\x"),
        SOUND.replace(b"\\u00e4", b"\\u00g4"),
        SOUND.replace(b"[0,", b"[" * 100_000),
    ],
)
def test_what_is_no_json_is_no_answer(envoy: RunningEnvoy, server: BrokenServer, body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        json.loads(body, parse_constant=int)
    server.answer = plain(body)

    assert seen(envoy, CHAT) == NO_ANSWER


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_an_answer_may_come_in_any_pieces(envoy: RunningEnvoy, server: BrokenServer, size: int) -> None:
    body = json.dumps({**json.loads(SOUND), "usage": COUNTED}).encode()
    head = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    server.answer = say(head, *(chunk(body[at : at + size]) for at in range(0, len(body), size)), b"0\r\n\r\n")

    row = row_of(envoy, CHAT)

    assert (row["result"], row["prompt_tokens"], row["completion_tokens"]) == ("success", 11, 22)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_may_come_in_any_pieces(envoy: RunningEnvoy, server: BrokenServer, size: int, line_end: bytes) -> None:
    parts = [": wait\n\n", "id: 1\nretry: 3\n", "data: " + json.dumps(delta("Hi", x="y" * 500)) + "\n\n"]
    parts += [f"data:{json.dumps(delta(finish='stop', usage=COUNTED))}\n\n", "data: [DONE]\n\n"]
    body = "".join(parts).encode().replace(b"\n", line_end)
    server.answer = say(STREAM, *(chunk(body[at : at + size]) for at in range(0, len(body), size)), b"0\r\n\r\n")

    row = row_of(envoy, CHAT)

    assert (row["result"], row["prompt_tokens"], row["completion_tokens"]) == ("success", 11, 22)


def test_large_answers_are_walked_to_their_end(envoy: RunningEnvoy, server: BrokenServer) -> None:
    vectors = [{"object": "embedding", "index": index, "embedding": [0.1234567] * 1500} for index in range(200)]
    body = json.dumps({"object": "list", "data": vectors, "usage": {"prompt_tokens": 11, "total_tokens": 11}}).encode()
    assert len(body) > 2 * 1024 * 1024

    server.answer = plain(body)
    row = row_of(envoy, "/v1/embeddings")
    assert (row["result"], row["prompt_tokens"], row["completion_tokens"]) == ("success", 11, 0)

    server.answer = plain(body.replace(b"0.1234567]}]", b"0.1234567]]"))
    assert seen(envoy, "/v1/embeddings") == NO_ANSWER


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (events(delta(ROLE), delta("Hi"), delta(finish="stop"), DONE), SUCCESS),
        # Nothing in it.
        (events(DONE), NO_ANSWER),
        (events(delta(ROLE), DONE), NO_ANSWER),
        (events(delta(ROLE), delta(finish="stop"), DONE), NO_ANSWER),
        (events(delta(ROLE), {"choices": [], "usage": COUNTED}, DONE), NO_ANSWER),
        (events({"x": delta("Hi")}, DONE), NO_ANSWER),
        (stream(b": wait\n\n", b": wait\n\n", event(DONE)), NO_ANSWER),
        (events(DONE, delta("Hi")), NO_ANSWER),
        # Something else than text in it.
        (events(delta(ROLE), delta({"tool_calls": [{"index": 0, **CALL}]}), delta(finish="tool_calls"), DONE), SUCCESS),
        (events(delta(ROLE), delta({"refusal": "I will not."}), delta(finish="stop"), DONE), SUCCESS),
        (events(delta(ROLE), delta({"reasoning": "Hm."}), delta(finish="length"), DONE), SUCCESS),
        (events(delta(ROLE), delta(finish="content_filter"), DONE), SUCCESS),
        (stream(b": OPENROUTER PROCESSING\n\n", event(delta("Hi")), event(DONE)), SUCCESS),
        (stream(b"data: " + event(delta("Hi"))[6:-2].replace(b", ", b",\ndata: ") + b"\n\n", event(DONE)), SUCCESS),
        # Errors, and what is none.
        (events(delta("Hi"), delta(finish="error", error={"code": 502, "message": "x"}), DONE), ERROR),
        (events(delta("Hi"), delta(finish="error"), DONE), ERROR),
        (events(delta("Hi"), {"choices": [{"error": {"message": "x"}}]}, DONE), ERROR),
        (events(delta("Hi", error=None), delta(finish="stop"), DONE), SUCCESS),
        (events(delta({"tool_calls": [{"index": 0, **CALL}]}), DONE), SUCCESS),
        (events(delta('"error": {"message": "x"}'), delta(" event: error\ndata: x"), DONE), SUCCESS),
        (stream(event(delta("Hi")), b"event: error\ndata: x\n\n", event(DONE)), ERROR),
        (stream(event(delta("Hi")), b'error: {"code": 500}\n\n', event(DONE)), ERROR),
        # Events that are no JSON.
        (events(delta("Hi"), "Internal Server Error", DONE), NO_ANSWER),
        (events(delta("Hi"), json.dumps(delta("Hi"))[:-1], DONE), NO_ANSWER),
        (events(delta("Hi"), json.dumps(delta("Hi")) + "}", DONE), NO_ANSWER),
        (events(delta("Hi")), UNFINISHED),
        (events(delta("[DONE]")), UNFINISHED),
        (plain(json.dumps(choice(HI)).encode(), b"text/event-stream"), UNFINISHED),
    ],
)
def test_a_stream_holds_something_and_ends(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT) == expected


FILTERS = {"hate": {"filtered": False, "severity": "safe"}}
UNFILTERED = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
AZURE = "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
TEXT = {"object": "text_completion", "choices": [{"index": 0, "text": "Hi", "logprobs": None, "finish_reason": None}]}
VLLM_FIRST = {**delta(ROLE, usage=None), "prompt_token_ids": None, "service_tier": None}
CONTINUOUS = [{**delta("a", usage={**COUNTED, "completion_tokens": count}), "token_ids": None} for count in (1, 22)]
OLLAMA = {"model": "llama3", "system_fingerprint": "fp_ollama"}

LLAMA = {
    "index": 0,
    "content": "Hi",
    "tokens": [],
    "id_slot": 0,
    "stop": True,
    "model": "m",
    "tokens_predicted": 22,
    "tokens_evaluated": 11,
    "generation_settings": {"stop": [], "stream": False},
    "prompt": '"error": {',
    "has_new_line": False,
    "truncated": False,
    "stop_type": "eos",
    "stopping_word": "",
    "timings": {"prompt_n": 11, "predicted_n": 22},
}
LLAMA_PART = {"index": 0, "content": "Hi", "tokens": [7], "stop": False, "tokens_predicted": 1, "tokens_evaluated": 11}
LLAMA_END = {**LLAMA, "content": "", "stop_type": "limit"}

TOKEN = {"index": 1, "token": {"id": 7, "text": "Hi", "logprob": -1.0, "special": False}, "generated_text": None}
TGI_DETAILS = {"finish_reason": "eos_token", "generated_tokens": 22, "input_length": 11, "seed": None}
TGI_PART = {**TOKEN, "details": None}
TGI_END = {**TOKEN, "generated_text": "Hi", "details": TGI_DETAILS}

RESPONSE = {
    "object": "response",
    "status": "completed",
    "background": False,
    "error": None,
    "incomplete_details": None,
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}],
    "usage": {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 5},
        "output_tokens": 22,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 33,
    },
}
CREATED = {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}}
TEXT_DELTA = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hi"}
COMPLETED = {"type": "response.completed", "response": RESPONSE}
CUT = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
BROKEN = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "x"}, "output": []}

MESSAGE = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 11, "output_tokens": 22},
}
START = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TOOL = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}}
PING = {"type": "ping"}
TEXT_PART = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
BLOCK_END = {"type": "content_block_stop", "index": 0}
ENDING = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 22}}
STOP = {"type": "message_stop"}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

VECTOR = {"object": "embedding", "index": 0, "embedding": [0.1, -2e-05]}
VECTORS = {"object": "list", "data": [VECTOR], "usage": {"prompt_tokens": 11, "total_tokens": 11}}
RANKED = {"results": [{"index": 0, "relevance_score": 0.9}], "usage": {"total_tokens": 11}}
TENSORS = {"model_name": "iris", "outputs": [{"name": "label", "datatype": "INT64", "shape": [1], "data": [2]}]}

Case = tuple[str, str, Answer, Seen]

DOCUMENTED: list[Case] = [
    # Azure: a first event about the prompt, filters that tell of errors of their own.
    ("openai", AZURE, document(choice(HI, content_filter_results=FILTERS)), SUCCESS),
    ("openai", AZURE, document(choice(HI, content_filter_results=UNFILTERED)), SUCCESS),
    (
        "openai",
        AZURE,
        events(
            {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": UNFILTERED}]},
            delta(ROLE),
            delta("Hi"),
            {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"end_offset": 2}}]},
            delta(finish="stop"),
            DONE,
        ),
        SUCCESS,
    ),
    ("openai", AZURE, events({"choices": [], "prompt_filter_results": []}, DONE), NO_ANSWER),
    # vLLM.
    ("vllm", CHAT, document({**choice(HI, stop_reason=None), "prompt_token_ids": None, "usage": COUNTED}), SUCCESS),
    ("vllm", CHAT, events(VLLM_FIRST, *CONTINUOUS, {"choices": [], "usage": COUNTED}, DONE), SUCCESS),
    ("vllm", CHAT, events(VLLM_FIRST, {"error": {"message": "x", "code": 500}}, DONE), ERROR),
    ("vllm", CHAT, document({"object": "error", "message": "x", "code": 400}), ERROR),
    ("vllm", COMPLETIONS, document(TEXT), SUCCESS),
    ("vllm", COMPLETIONS, events(TEXT, TEXT, DONE), SUCCESS),
    ("vllm", "/pooling", document({"object": "list", "data": [{"object": "pooling", "data": [[0.1]]}]}), SUCCESS),
    ("vllm", "/score", document({"object": "list", "data": [{"object": "score", "score": 1}]}), SUCCESS),
    ("vllm", "/v2/rerank", document(RANKED), SUCCESS),
    # Ollama.
    ("openai", CHAT, document({**choice(HI), **OLLAMA, "usage": COUNTED}), SUCCESS),
    ("openai", CHAT, events(delta(ROLE | {"content": "Hi"}, **OLLAMA), delta({"content": ""}, "stop"), DONE), SUCCESS),
    # The native API of llama.cpp.
    ("llama-cpp", "/completion", document(LLAMA), SUCCESS),
    ("llama-cpp", "/completions", document([LLAMA, LLAMA]), SUCCESS),
    ("llama-cpp", "/infill", document(LLAMA), SUCCESS),
    ("llama-cpp", "/completion", events(LLAMA_PART, LLAMA_END), SUCCESS),
    ("llama-cpp", "/completion", events(LLAMA_PART, {**LLAMA_PART, "stop": False}), UNFINISHED),
    ("llama-cpp", "/completion", events({**LLAMA, "content": ""}), NO_ANSWER),
    ("llama-cpp", "/completion", events(LLAMA_PART, {"error": {"code": 500, "message": "x"}}), ERROR),
    ("llama-cpp", "/completion", document({"error": {"code": 500, "message": "x", "type": "server_error"}}), ERROR),
    ("llama-cpp", "/completion", document({**LLAMA, "content": ""}), NO_ANSWER),
    ("llama-cpp", "/completion", document({**LLAMA, "content": "", "stop_type": "limit"}), SUCCESS),
    ("llama-cpp", COMPLETIONS, document(TEXT), SUCCESS),
    ("llama-cpp", CHAT, events(delta("Hi"), delta(finish="stop"), DONE), SUCCESS),
    ("llama-cpp", "/embedding", document([{"index": 0, "embedding": [[0.1]]}]), SUCCESS),
    ("llama-cpp", "/embeddings", document([{"index": 0, "embedding": [[0.1]]}]), SUCCESS),
    ("llama-cpp", "/v1/embeddings", document(VECTORS), SUCCESS),
    ("llama-cpp", "/v1/reranking", document(RANKED), SUCCESS),
    # TGI.
    ("tgi", "/generate", document({"generated_text": "Hi", "details": None}), SUCCESS),
    ("tgi", "/generate", document({"generated_text": ""}), NO_ANSWER),
    ("tgi", "/generate", document({"x": {"generated_text": "Hi"}}), NO_ANSWER),
    ("tgi", "/", document([{"generated_text": "Hi"}]), SUCCESS),
    ("tgi", "/", document({"status": "ok"}), NO_ANSWER),
    ("tgi", "/", events(TGI_PART, TGI_END), SUCCESS),
    ("tgi", "/generate_stream", events(TGI_PART, TGI_END), SUCCESS),
    ("tgi", "/generate_stream", events(TGI_PART, TGI_PART), UNFINISHED),
    ("tgi", "/generate_stream", events(TGI_PART, {"error": "x", "error_type": "generation"}), ERROR),
    ("tgi", "/generate_stream", document({"generated_text": "Hi"}), NOT_AS_ASKED),
    # Anthropic.
    ("anthropic", MESSAGES, document(MESSAGE), SUCCESS),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": []}), SUCCESS),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [], "stop_reason": "refusal"}), SUCCESS),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [], "stop_reason": "max_tokens"}), SUCCESS),
    ("anthropic", MESSAGES, document(OVERLOADED), ERROR),
    ("anthropic", MESSAGES, named_events(START, BLOCK, PING, TEXT_PART, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, named_events(START, TOOL, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, events(START, BLOCK, TEXT_PART, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, named_events(START, PING, PING, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, BLOCK_END, ENDING), UNFINISHED),
    ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, OVERLOADED), ERROR),
    # OpenAI's Responses.
    ("openai", RESPONSES, document(RESPONSE), SUCCESS),
    ("openai", RESPONSES, document(CUT), SUCCESS),
    ("openai", RESPONSES, document(BROKEN), ERROR),
    ("openai", RESPONSES, document({**RESPONSE, "status": "failed"}), ERROR),
    ("openai", RESPONSES, document({**RESPONSE, "output": []}), NO_ANSWER),
    ("openai", RESPONSES, document({**RESPONSE, "status": "queued", "background": True, "output": []}), SUCCESS),
    ("openai", RESPONSES, named_events(CREATED, TEXT_DELTA, COMPLETED), SUCCESS),
    ("openai", RESPONSES, named_events(CREATED, {"type": "response.incomplete", "response": CUT}), SUCCESS),
    ("openai", RESPONSES, named_events(CREATED, {"type": "response.failed", "response": BROKEN}), ERROR),
    ("openai", RESPONSES, named_events(CREATED, {"type": "error", "code": "x", "message": "x"}), ERROR),
    ("openai", RESPONSES, named_events(CREATED, TEXT_DELTA), UNFINISHED),
    (
        "openai",
        RESPONSES,
        named_events(CREATED, {"type": "response.completed", "response": {**RESPONSE, "output": []}}),
        NO_ANSWER,
    ),
    # What has no completion, and what no shape is documented for.
    ("openai", "/v1/embeddings", document(VECTORS), SUCCESS),
    ("openai", "/v1/embeddings", document({"x": VECTORS}), NO_ANSWER),
    ("openai", "/v1/rerank", document(RANKED), SUCCESS),
    ("openai", "/v1/moderations", document({"results": [{"flagged": False}]}), SUCCESS),
    ("openai", "/v1/audio/speech", stream(event({"type": "speech.audio.done"})), SUCCESS),
    ("openai", "/v1/audio/transcriptions", stream(event({"type": "transcript.text.done", "text": "Hi"})), SUCCESS),
    # Triton and the Open Inference Protocol.
    ("triton", "/v2/models/a/infer", document(TENSORS), SUCCESS),
    ("triton", "/v2/models/a/infer", document({"x": TENSORS}), NO_ANSWER),
    ("triton", "/v2/models/a/generate_stream", events({"model_name": "a", "text_output": "Hi"}), SUCCESS),
    ("triton", "/v2/models/a/generate_stream", events({"model_name": "a"}, {"error": "x"}), ERROR),
    ("triton", "/v2/models/a/generate_stream", stream(b": wait\n\n"), NO_ANSWER),
]


@pytest.mark.parametrize(("kind", "path", "answer", "expected"), DOCUMENTED)
def test_what_is_documented(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == expected


def test_tensors_in_bytes_stand_behind_the_json(envoy: RunningEnvoy, server: BrokenServer) -> None:
    body = json.dumps(TENSORS).encode()
    header = OK + b"content-type: application/octet-stream\r\ninference-header-content-length: %d\r\n" % len(body)
    server.answer = say(header + b"content-length: %d\r\n\r\n" % (len(body) + 4), body, b"\x00}\x01{")

    assert seen(envoy, "/v2/models/a/infer", "triton") == SUCCESS


USAGE_CASES: list[tuple[str, str, Answer, tuple[int | None, int | None]]] = [
    ("openai", CHAT, document({**choice(HI), "usage": COUNTED}), (11, 22)),
    ("openai", CHAT, document({**choice(HI), "x": {"usage": COUNTED}}), (None, None)),
    (
        "openai",
        CHAT,
        document(
            {
                **choice({"content": '"usage": {"prompt_tokens": 7}', "tool_calls": [{"prompt_tokens": 8}]}),
                "usage": {**COUNTED, "prompt_tokens_details": {"prompt_tokens": 9, "completion_tokens": 9}},
                "timings": {"prompt_tokens": 10},
            }
        ),
        (11, 22),
    ),
    ("openai", CHAT, events(delta("Hi", usage=COUNTED), delta(finish="stop", usage=None), DONE), (11, 22)),
    ("openai", CHAT, events(delta('"usage": {"prompt_tokens": 7}'), {"x": {"usage": COUNTED}}, DONE), (None, None)),
    ("openai", CHAT, events(delta("Hi"), delta(finish="stop", x_groq={"usage": COUNTED}), DONE), (11, 22)),
    ("openai", CHAT, events({"choices": [{"delta": HI, "usage": COUNTED}]}, DONE), (11, 22)),
    ("vllm", CHAT, events(*CONTINUOUS, DONE), (11, 22)),
    ("openai", RESPONSES, document(RESPONSE), (11, 22)),
    ("openai", RESPONSES, named_events(CREATED, COMPLETED), (11, 22)),
    ("openai", "/v1/embeddings", document(VECTORS), (11, 0)),
    ("openai", "/v1/rerank", document(RANKED), (11, 0)),
    ("llama-cpp", "/completion", document(LLAMA), (11, 22)),
    ("llama-cpp", "/completion", events(LLAMA_PART, LLAMA_END), (11, 22)),
    ("tgi", "/generate_stream", events(TGI_PART, TGI_END), (11, 22)),
    ("tgi", "/generate", document({"generated_text": "Hi", "details": TGI_DETAILS}), (None, 22)),
    ("anthropic", MESSAGES, named_events(START, TEXT_PART, ENDING, STOP), (11, 22)),
]


@pytest.mark.parametrize(("kind", "path", "answer", "counts"), USAGE_CASES)
def test_tokens_are_told_where_the_api_tells_them(
    envoy: RunningEnvoy,
    server: BrokenServer,
    kind: str,
    path: str,
    answer: Answer,
    counts: tuple[int | None, int | None],
) -> None:
    server.answer = answer

    row = row_of(envoy, path, kind)

    assert (row["prompt_tokens"], row["completion_tokens"]) == counts


STREAMED = events(delta("Hi"), delta(finish="stop"), DONE)
WHOLE = document(choice(HI))


@pytest.mark.parametrize(
    ("sent", "answer", "expected"),
    [
        ({"stream": True}, STREAMED, SUCCESS),
        ({"stream": True}, WHOLE, NOT_AS_ASKED),
        ({"stream": False}, WHOLE, SUCCESS),
        ({"stream": False}, STREAMED, NOT_AS_ASKED),
        ({"stream": None}, WHOLE, SUCCESS),
        ({}, WHOLE, SUCCESS),
        ({}, STREAMED, NOT_AS_ASKED),
        ({"messages": [{"stream": True}]}, WHOLE, SUCCESS),
        # Nobody knows what a server makes of it.
        ({"stream": "yes"}, WHOLE, SUCCESS),
        ({"stream": "yes"}, STREAMED, SUCCESS),
        # What it is comes before how.
        ({"stream": True}, document({"error": {"message": "x"}}), ERROR),
        ({"stream": True}, document({}), NO_ANSWER),
    ],
)
def test_who_asks_for_a_stream_gets_one_and_who_does_not_does_not(
    envoy: RunningEnvoy, server: BrokenServer, sent: dict[str, Any], answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT, f"{READING}-openai", {"user": "alice", **sent}) == expected


@pytest.mark.parametrize("answer", [WHOLE, STREAMED])
@pytest.mark.parametrize("asked", [False, True])
def test_what_is_asked_is_unknown_where_requests_are_not_read(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, asked: bool
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT, "openai", {"stream": asked}) == SUCCESS


def test_embeddings_are_no_streams(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = document(VECTORS)
    assert seen(envoy, "/v1/embeddings", f"{READING}-openai", {"user": "a", "stream": True}) == SUCCESS

    server.answer = events(VECTORS)
    assert seen(envoy, "/v1/embeddings") == NOT_AS_ASKED


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"zstd", b"GZIP", b"gzip, identity"])
@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_what_is_compressed_against_the_asking_is_unknown(
    envoy: RunningEnvoy, server: BrokenServer, encoding: bytes, kind: bytes
) -> None:
    body = gzip.compress(json.dumps(choice(HI)).encode())
    head = b"content-type: %b\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (kind, encoding, len(body))
    server.answer = say(OK + head, body)

    with httpx.stream("POST", f"{envoy.url}{CHAT}", json={}, headers={"host": "openai"}) as response:
        list(response.iter_raw())

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == UNREADABLE
    assert (row["prompt_tokens"], row["cost"]) == (None, None)


GRPC_WEB = "application/grpc-web+proto"
MESSAGE_FRAME = b"\x00\x00\x00\x00\x02hi"
TRAILER_FRAME = b"\x80\x00\x00\x00\x10grpc-status: 13\r\n"


@pytest.mark.parametrize("kind", ["http", "triton"])
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        # The status is in the body, which is not read: nobody knows.
        (b"", MESSAGE_FRAME + TRAILER_FRAME, UNREADABLE),
        (b"grpc-status: 0\r\n", b"", SUCCESS),
        (b"grpc-status: 13\r\n", b"", ("failed", "server-error")),
        (b"grpc-status: 5\r\n", b"", ("rejected", None)),
    ],
)
def test_calls_of_grpc_from_browsers(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, headers: bytes, body: bytes, expected: Seen
) -> None:
    head = b"content-type: application/grpc-web+proto\r\n%bcontent-length: %d\r\n\r\n" % (headers, len(body))
    server.answer = say(OK + head, body)

    asked = {"host": kind, "content-type": GRPC_WEB}
    response = httpx.post(f"{envoy.url}/inference.Model/Infer", content=MESSAGE_FRAME, headers=asked)

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == expected
