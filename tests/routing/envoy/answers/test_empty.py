"""An answer that holds nothing for its user is none, whatever it says of why it stopped."""

import base64
import math
import struct
from typing import Any

import pytest

from tests.factories.answers import document, events, named_events
from tests.routing.envoy.answers.edge import CHAT, ERROR, MESSAGES, NO_ANSWER, RESPONSES, SUCCESS, Seen, row_of, seen
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

EMBEDDINGS = "/v1/embeddings"
GOOD = {"object": "embedding", "embedding": [0.0, -0.25]}
NO_NUMBERS = (math.nan, -math.nan, math.inf, -math.inf)


def base64_of(size: int, *values: float) -> str:
    """As servers send vectors of numbers of four bytes, or of two."""
    return base64.b64encode(struct.pack(f"<{len(values)}{'f' if size == 4 else 'e'}", *values)).decode()


def base64_of_bits(*values: int) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}I", *values)).decode()


NOT_FINITE = (None, True, "NaN", "0.5", 1e999, -1e999)
ODD_BASE64 = ("AACAP", "AACAPwA=", "AACAPwAAgA==", "AACAPw===", "AACAPw==AA", "AACAPw==AACAPw==", "AACA Pw==")


def said(finish: str | None, **message: Any) -> Answer:
    return document({"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}]})


def streamed(finish: str | None, **delta: Any) -> Answer:
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}]}
    return events(first, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, "[DONE]")


@pytest.mark.parametrize("tell", [said, streamed])
@pytest.mark.parametrize("content", ["", None, [], [{"type": "text", "text": ""}], [None]])
@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        (None, None),
        ("stop", "stop"),
        ("abort", "abort"),
        ("tool_calls", "tool_calls"),
        ("insufficient_system_resource", "insufficient_system_resource"),
        ("length", "length"),
        # Mistral's word for the length of the context.
        ("model_length", "length"),
        ("content_filter", "content_filter"),
    ],
)
def test_no_reason_excuses_that_there_is_nothing_and_each_is_kept(
    envoy: RunningEnvoy, server: BrokenServer, tell: Any, content: Any, finish: str | None, stop: str | None
) -> None:
    server.answer = tell(finish, content=content)

    row = row_of(envoy, CHAT)

    assert (row["result"], row["failure"], row["stop"]) == (*NO_ANSWER, stop)


@pytest.mark.parametrize("tell", [said, streamed])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"tool_calls": []}, NO_ANSWER),
        ({"tool_calls": [{}]}, NO_ANSWER),
        ({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {}}]}, NO_ANSWER),
        ({"tool_calls": [{"index": 0, "function": {"name": "", "arguments": ""}}]}, NO_ANSWER),
        ({"tool_calls": [{"index": 0, "function": {"name": "", "arguments": "{}"}}]}, NO_ANSWER),
        ({"function_call": {}}, NO_ANSWER),
        ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}, SUCCESS),
        ({"tool_calls": [{"index": 0, "type": "custom", "custom": {"name": "f", "input": ""}}]}, SUCCESS),
        ({"function_call": {"name": "f", "arguments": "{}"}}, SUCCESS),
        ({"content": [{"type": "text", "text": "Hi"}]}, SUCCESS),
        ({"content": [{"type": "text", "text": ""}, {"type": "text", "text": "Hi"}]}, SUCCESS),
        ({"content": None, "refusal": "I will not."}, SUCCESS),
        ({"content": None, "refusal": ""}, NO_ANSWER),
        ({"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:"}}]}, SUCCESS),
        ({"content": "", "images": [{}]}, NO_ANSWER),
        ({"content": [{"type": "image_url", "image_url": {"url": "data:"}}]}, SUCCESS),
        ({"content": [{"type": "image_url", "image_url": {"url": ""}}]}, NO_ANSWER),
        ({"content": None, "audio": {"id": "a", "data": "UklGR"}}, SUCCESS),
        ({"content": None, "audio": {"id": "a", "transcript": "Hi"}}, SUCCESS),
        ({"content": None, "audio": {"id": "a", "data": "", "transcript": ""}}, NO_ANSWER),
    ],
)
def test_a_message_holds_something(
    envoy: RunningEnvoy, server: BrokenServer, tell: Any, message: dict[str, Any], expected: Seen
) -> None:
    server.answer = tell("tool_calls", **message)

    assert seen(envoy, CHAT) == expected


def response(*output: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"object": "response", "status": status, "error": None, "background": False, "output": list(output)}


def responded(*output: dict[str, Any], status: str = "completed", delta: str = "") -> Answer:
    return named_events(
        {"type": "response.created", "response": response(status="in_progress")},
        {"type": "response.output_item.added", "item": {"type": "message", "content": []}},
        {"type": "response.output_text.delta", "delta": delta},
        {"type": "response.output_text.done", "text": delta},
        {"type": "response.completed", "response": response(*output, status=status)},
    )


def message_of(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": list(parts)}


TEXT = {"type": "output_text", "text": "Hi", "annotations": []}
NO_TEXT = {**TEXT, "text": ""}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "x"}}
REFUSED = {"type": "refusal", "refusal": "I will not."}
COMPUTER = {"type": "computer_call", "call_id": "c", "actions": [{"type": "screenshot"}]}
TOOLS = {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "f"}]}
IMAGE = {"type": "image_generation_call", "id": "ig_1", "result": "iVBOR"}


@pytest.mark.parametrize("output", [CALL, COMPUTER, IMAGE, message_of(TEXT), message_of(REFUSED)])
def test_an_item_of_the_responses_api_holds_something(
    envoy: RunningEnvoy, server: BrokenServer, output: dict[str, Any]
) -> None:
    server.answer = document(response(output))
    assert seen(envoy, RESPONSES) == SUCCESS

    server.answer = responded(output)
    assert seen(envoy, RESPONSES) == SUCCESS


@pytest.mark.parametrize("status", ["completed", "incomplete"])
@pytest.mark.parametrize("output", [{}, SEARCH, TOOLS, message_of(), message_of(NO_TEXT)])
def test_an_item_of_nothing_is_nothing(
    envoy: RunningEnvoy, server: BrokenServer, output: dict[str, Any], status: str
) -> None:
    server.answer = document(response(output, status=status))
    assert seen(envoy, RESPONSES) == NO_ANSWER

    server.answer = responded(output)
    assert seen(envoy, RESPONSES) == NO_ANSWER


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_response_says_itself_that_it_was_not_completed(
    envoy: RunningEnvoy, server: BrokenServer, status: str
) -> None:
    server.answer = document(response(message_of(TEXT), status=status))
    assert seen(envoy, RESPONSES) == ERROR

    server.answer = responded(message_of(TEXT), status=status, delta="Hi")
    assert seen(envoy, RESPONSES) == ERROR


def turn(stop: str, *content: dict[str, Any]) -> Answer:
    return document({"type": "message", "role": "assistant", "content": list(content), "stop_reason": stop})


def streamed_turn(stop: str, *blocks: dict[str, Any]) -> Answer:
    return named_events(
        {"type": "message_start", "message": {"type": "message", "content": [], "stop_reason": None}},
        *({"type": "content_block_start", "index": 0, "content_block": block} for block in blocks),
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    )


@pytest.mark.parametrize("tell", [turn, streamed_turn])
@pytest.mark.parametrize(
    ("stop", "blocks", "expected"),
    [
        ("end_turn", (), NO_ANSWER),
        ("refusal", (), NO_ANSWER),
        ("max_tokens", (), NO_ANSWER),
        ("max_tokens", ({"type": "text", "text": ""},), NO_ANSWER),
        ("tool_use", (), NO_ANSWER),
        ("unknown", (), NO_ANSWER),
        ("end_turn", ({"type": "text", "text": ""},), NO_ANSWER),
        ("tool_use", ({"type": "tool_use", "id": "t", "name": "f", "input": {}},), SUCCESS),
        ("pause_turn", ({"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}},), SUCCESS),
        ("end_turn", ({"type": "web_search_tool_result", "content": [{"type": "web_search_result"}]},), NO_ANSWER),
    ],
)
def test_a_turn_of_anthropic_holds_something(
    envoy: RunningEnvoy, server: BrokenServer, tell: Any, stop: str, blocks: tuple[dict[str, Any], ...], expected: Seen
) -> None:
    server.answer = tell(stop, *blocks)

    assert seen(envoy, MESSAGES, "anthropic") == expected


@pytest.mark.parametrize(
    ("kind", "path", "content", "expected"),
    [
        ("openai", EMBEDDINGS, {"data": [{"embedding": []}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": None}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [None, None]}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [0, 0.0, -0.0, 0e5]}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [0.0] * 3000}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [0.0] * 3000 + [1e-9]}]}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [[0.0], [-0.5]]}]}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [[], [0]]}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "AACAPw=="}]}, SUCCESS),
        # The numbers in base64, as OpenAI's SDK asks for them.
        ("openai", EMBEDDINGS, {"data": [{"embedding": ""}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "AAAAAA=="}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "A" * 8192}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "A" * 8190 + "/w"}]}, SUCCESS),
        # No numbers, infinite ones, and no base64, by IEEE 754 and RFC 4648; then some that are right.
        *(("openai", EMBEDDINGS, {"data": [{"embedding": base64_of(4, *[v] * 768)}]}, NO_ANSWER) for v in NO_NUMBERS),
        *(("openai", EMBEDDINGS, {"data": [{"embedding": base64_of(4, v)}]}, NO_ANSWER) for v in NO_NUMBERS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "not base64"}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "{}"}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": base64_of(4, *[0.25, -3e38] * 384)}]}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": base64_of(2, *[0.25, -0.5] * 384)}]}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "__8_-w"}]}, SUCCESS),
        # One of many that is none, at any place; 0x7fffffff is what NVIDIA's cores make.
        *(("openai", EMBEDDINGS, {"data": [{"embedding": [0.25, odd, 0.5]}]}, NO_ANSWER) for odd in NOT_FINITE),
        *(("openai", EMBEDDINGS, {"data": [{"embedding": [odd, 0.5]}]}, NO_ANSWER) for odd in NOT_FINITE),
        ("vllm", "/pooling", {"data": [{"object": "pooling", "data": [[0.5], [0.5, None]]}]}, NO_ANSWER),
        *(
            ("openai", EMBEDDINGS, {"data": [{"embedding": base64_of(4, *[0.25] * at, v, 0.5)}]}, NO_ANSWER)
            for v in NO_NUMBERS
            for at in (1, 2, 3)
        ),
        ("openai", EMBEDDINGS, {"data": [{"embedding": base64_of_bits(0x3F800000, 0x7FFFFFFF)}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": base64_of_bits(0x7F7FFFFF, 0xFF7FFFFF, 1)}]}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [{"embedding": [3e38, -1.5e-310, 2e10]}]}, SUCCESS),
        # Bytes that are no whole numbers of four, and text that is no base64 to its end.
        *(("openai", EMBEDDINGS, {"data": [{"embedding": odd}]}, NO_ANSWER) for odd in ODD_BASE64),
        # A batch of which some are none.
        ("openai", EMBEDDINGS, {"data": [GOOD, {"embedding": []}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": []}, GOOD]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [GOOD, {"embedding": [0.0] * 768}, GOOD]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [GOOD, {"embedding": None}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [GOOD, {}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [{"embedding": "AACAPw=="}, {"embedding": "AADAfw=="}]}, NO_ANSWER),
        ("openai", EMBEDDINGS, {"data": [GOOD] * 300}, SUCCESS),
        ("openai", EMBEDDINGS, {"data": [GOOD] * 299 + [{"embedding": [0, 0]}]}, NO_ANSWER),
        ("openai", "/rerank", [{"index": 0, "score": 0.5}, {"index": 1, "score": None}], NO_ANSWER),
        ("openai", "/v1/rerank", {"results": [{"relevance_score": 0}, {"relevance_score": None}]}, NO_ANSWER),
        ("openai", "/v1/moderations", {"results": [{"flagged": False}, {}]}, NO_ANSWER),
        ("openai", "/v1/moderations", {"results": [{"flagged": False}, {"flagged": True}]}, SUCCESS),
        ("llama-cpp", "/embedding", [{"index": 0, "embedding": [[0.5]]}, {"index": 1, "embedding": [[]]}], NO_ANSWER),
        ("llama-cpp", "/embedding", [{"index": i, "embedding": [[0.5]]} for i in range(9)], SUCCESS),
        ("vllm", "/pooling", {"data": [{"object": "pooling", "data": []}]}, NO_ANSWER),
        ("vllm", "/pooling", {"data": [{"object": "pooling", "data": [[0.0, 0.0]]}]}, NO_ANSWER),
        ("vllm", "/pooling", {"data": [{"object": "pooling", "data": [[0.5]]}]}, SUCCESS),
        ("llama-cpp", "/embedding", [{"index": 0, "embedding": []}], NO_ANSWER),
        ("llama-cpp", "/embedding", [{"index": 0, "embedding": [[0, 0]]}], NO_ANSWER),
        ("llama-cpp", "/embedding", {"embedding": [0.5]}, SUCCESS),
        ("llama-cpp", "/v1/embeddings", {"data": [{"embedding": []}]}, NO_ANSWER),
        ("openai", "/v1/rerank", {"results": []}, NO_ANSWER),
        ("openai", "/v1/rerank", {"results": [{}]}, NO_ANSWER),
        ("openai", "/v1/rerank", {"results": [{"index": 0}]}, NO_ANSWER),
        ("openai", "/v1/rerank", {"results": [{"index": 0, "relevance_score": None}]}, NO_ANSWER),
        ("openai", "/rerank", [], NO_ANSWER),
        ("openai", "/v1/score", {"data": []}, NO_ANSWER),
        ("openai", "/v1/score", {"data": [{"index": 0, "object": "score", "score": None}]}, NO_ANSWER),
        ("vllm", "/classify", {"data": [{"index": 0, "label": None, "probs": []}]}, NO_ANSWER),
        ("vllm", "/classify", {"data": [{"index": 0, "label": "Default", "probs": [0.9, 0.1]}]}, SUCCESS),
        ("openai", "/v1/moderations", {"results": [{}]}, NO_ANSWER),
        ("openai", "/v1/moderations", {"results": [{"flagged": None, "categories": {}}]}, NO_ANSWER),
        # A score may be none.
        ("openai", "/rerank", [{"index": 0, "score": 0}, {"index": 1, "score": 0}], SUCCESS),
        ("openai", "/rerank", {"results": [{"index": 0, "relevance_score": 0}]}, SUCCESS),
        ("openai", "/score", {"data": [{"index": 0, "object": "score", "score": 0}]}, SUCCESS),
    ],
)
def test_vectors_and_scores(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, content: Any, expected: Seen
) -> None:
    server.answer = document(content)

    assert seen(envoy, path, kind) == expected
