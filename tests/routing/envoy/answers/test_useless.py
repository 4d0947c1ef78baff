"""Answers of status 200 in a form that a protocol knows, to another question: clients find nothing in them."""

from typing import Any

import pytest

from tests.factories.answers import document, events, named_events, plain
from tests.routing.envoy.answers.edge import (
    CHAT,
    COMPLETIONS,
    ERROR,
    MESSAGES,
    NO_ANSWER,
    RESPONSES,
    SUCCESS,
    UNFINISHED,
    Seen,
    seen,
)
from tests.routing.envoy.answers.examples import (
    COMPLETED,
    DONE,
    ENDING,
    HI,
    LLAMA,
    MESSAGE,
    RESPONSE,
    START,
    STOP,
    TEXT,
    TGI_PART,
    VECTORS,
    choice,
    delta,
)
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

IMAGES = "/v1/images/generations"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
GENERATE = "/v2/models/a/generate"
INFER = "/v2/models/a/infer"
OTHER_FORMS: list[tuple[str, str, Answer, Seen]] = [
    # Another protocol's, or another path's, answer.
    ("openai", CHAT, document(TEXT), NO_ANSWER),
    ("openai", CHAT, document(RESPONSE), NO_ANSWER),
    ("openai", CHAT, document(MESSAGE), NO_ANSWER),
    ("openai", CHAT, document(delta("Hi")), NO_ANSWER),
    ("openai", CHAT, document({"generated_text": "Hi"}), NO_ANSWER),
    ("openai", CHAT, document({"text_output": "Hi"}), NO_ANSWER),
    ("openai", CHAT, document({"choices": [HI]}), NO_ANSWER),
    ("openai", CHAT, document({"choices": {"0": {"message": HI}}}), NO_ANSWER),
    ("openai", CHAT, document({"object": "list", "data": [{"id": "gpt"}]}), NO_ANSWER),
    ("openai", CHAT, events(TEXT, DONE), NO_ANSWER),
    ("openai", CHAT, events(choice(HI), DONE), NO_ANSWER),
    ("openai", CHAT, events({"content": "Hi"}, DONE), NO_ANSWER),
    ("openai", CHAT, document({"choices": [{"message": {"content": ""}}, {"message": HI}]}), NO_ANSWER),
    ("openai", CHAT, document({"choices": [{"message": HI}, {"message": HI}]}), SUCCESS),
    ("openai", COMPLETIONS, document(delta("Hi")), NO_ANSWER),
    ("openai", COMPLETIONS, document({"choices": [{"text": ""}]}), NO_ANSWER),
    ("openai", "/v1/fim/completions", document(choice(HI)), SUCCESS),
    ("openai", RESPONSES, document(choice(HI)), NO_ANSWER),
    ("openai", RESPONSES, document({"output_text": "Hi", "output": []}), NO_ANSWER),
    ("openai", RESPONSES, document({"output": "Hi"}), NO_ANSWER),
    ("openai", RESPONSES, events(delta("Hi"), DONE), UNFINISHED),
    ("openai", RESPONSES, named_events(COMPLETED | {"response": {"output": [{"type": "message"}]}}), NO_ANSWER),
    ("openai", "/v1/embeddings", document(choice(HI)), NO_ANSWER),
    ("openai", "/v1/embeddings", document({"data": []}), NO_ANSWER),
    ("openai", "/v1/embeddings", document([[0.1]]), NO_ANSWER),
    ("openai", "/v1/rerank", document(VECTORS), NO_ANSWER),
    ("openai", IMAGES, document({"created": 1, "data": []}), NO_ANSWER),
    ("openai", IMAGES, document({"data": [{"url": None, "b64_json": ""}]}), NO_ANSWER),
    ("openai", IMAGES, document({"data": [{"b64_json": "iVBOR"}]}), SUCCESS),
    ("openai", IMAGES, named_events({"type": "image_generation.completed", "b64_json": "iVBOR"}), SUCCESS),
    ("openai", IMAGES, named_events({"type": "image_generation.partial_image", "b64_json": "iVBOR"}), UNFINISHED),
    ("openai", TRANSCRIPTIONS, document({"text": ""}), NO_ANSWER),
    ("openai", TRANSCRIPTIONS, document({"text": " \n"}), NO_ANSWER),
    ("openai", TRANSCRIPTIONS, document({"text": "", "segments": [], "language": "english"}), NO_ANSWER),
    ("openai", TRANSCRIPTIONS, document({"text": "Hi", "usage": {"type": "duration", "seconds": 2}}), SUCCESS),
    ("openai", TRANSCRIPTIONS, plain(b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", b"text/plain"), SUCCESS),
    ("openai", TRANSCRIPTIONS, plain(b"", b"text/plain"), NO_ANSWER),
    ("openai", TRANSCRIPTIONS, named_events({"type": "transcript.text.done", "text": "Hi"}), SUCCESS),
    ("openai", TRANSCRIPTIONS, named_events({"type": "transcript.text.delta", "delta": "Hi"}), UNFINISHED),
    ("openai", TRANSCRIPTIONS, named_events({"type": "transcript.text.done", "text": ""}), NO_ANSWER),
    ("openai", TRANSCRIPTIONS, events(delta("Hi"), DONE), SUCCESS),
    ("openai", "/v1/audio/translations", document({"text": ""}), NO_ANSWER),
    # Of other paths nothing is known but an error.
    ("openai", "/v1/audio/speech", document({"error": {"message": "x"}}), ERROR),
    ("openai", "/v1/files", document({"id": "file-1", "error": None}), SUCCESS),
    ("triton", "/v2/repository/models/a/load", document({"error": "x"}), ERROR),
    ("anthropic", MESSAGES, document(choice(HI)), NO_ANSWER),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": "Hi"}), NO_ANSWER),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [{"type": "text"}]}), NO_ANSWER),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [{"type": "tool_use", "input": {}}]}), NO_ANSWER),
    ("anthropic", MESSAGES, document({"completion": "Hi", "stop_reason": "stop_sequence"}), NO_ANSWER),
    ("anthropic", MESSAGES, events(delta("Hi"), DONE), UNFINISHED),
    ("anthropic", MESSAGES, named_events(START, ENDING, STOP), NO_ANSWER),
    ("tgi", "/generate", document(choice(HI)), NO_ANSWER),
    ("tgi", "/generate", document({"generated_text": None}), NO_ANSWER),
    ("tgi", "/generate", document({"details": {"generated_tokens": 0}}), NO_ANSWER),
    ("tgi", "/", document([{}]), NO_ANSWER),
    ("tgi", "/", document([]), NO_ANSWER),
    ("tgi", "/generate_stream", events(TGI_PART), UNFINISHED),
    ("triton", GENERATE, document({"text_output": [[]]}), NO_ANSWER),
    ("triton", GENERATE, document({"model_name": "a", "model_version": "1", "id": "7"}), NO_ANSWER),
    ("triton", GENERATE, document({}), NO_ANSWER),
    ("triton", INFER, document({"text_output": "Hi"}), NO_ANSWER),
    ("triton", INFER, document({"outputs": {"x": [1]}}), NO_ANSWER),
    ("triton", INFER, document({"outputs": [{"name": "x", "shape": [1], "data": None}]}), NO_ANSWER),
    ("kserve-v2", INFER, document({"predictions": [1]}), NO_ANSWER),
    ("kserve-v2", INFER, document({"outputs": [{"data": [[[]], [[None]]]}]}), NO_ANSWER),
    ("llama-cpp", "/completion", document(choice(HI)), NO_ANSWER),
    ("llama-cpp", "/completion", document({**LLAMA, "content": None}), NO_ANSWER),
    ("llama-cpp", "/embedding", document([{"index": 0}]), NO_ANSWER),
    ("llama-cpp", "/reranking", document({"results": [{"index": 0}]}), NO_ANSWER),
    ("vllm", "/score", document({"data": [{"index": 0}]}), NO_ANSWER),
    ("vllm", CHAT, document({**choice({}), "detail": "Not Found"}), NO_ANSWER),
    ("ray-serve", CHAT, document({"detail": "Internal Server Error"}), NO_ANSWER),
    ("tensorrt-llm", CHAT, document({"object": "error", "message": "x", "type": "x"}), ERROR),
]


@pytest.mark.parametrize(("kind", "path", "answer", "expected"), OTHER_FORMS)
def test_the_answer_to_another_question(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == expected


NOTHING: list[Any] = [{}, [], {"status": "ok"}, {"message": "Please log in"}, {"id": "x", "created": 1}]


@pytest.mark.parametrize("content", NOTHING)
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("openai", CHAT),
        ("openai", COMPLETIONS),
        ("openai", RESPONSES),
        ("openai", "/v1/embeddings"),
        ("openai", "/v1/moderations"),
        ("openai", IMAGES),
        ("anthropic", MESSAGES),
        ("tgi", "/generate"),
        ("triton", INFER),
        ("kserve-v2", INFER),
        ("llama-cpp", "/completion"),
    ],
)
def test_a_document_of_something_else(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, content: Any
) -> None:
    server.answer = document(content)

    assert seen(envoy, path, kind) == NO_ANSWER
