"""What is documented is no failure, and what looks like it but is none is one, kind by kind.

The shapes are those of the documentation of OpenAI, Azure, OpenRouter, vLLM, llama.cpp, TGI, Ollama, Anthropic and
Triton.
"""

import json
from typing import Any

import pytest

from tests.factories.answers import OK, document, event, events, named_events, stream
from tests.routing.envoy.answers.edge import (
    CHAT,
    COMPLETIONS,
    ERROR,
    MESSAGES,
    NO_ANSWER,
    NOT_AS_ASKED,
    RESPONSES,
    SUCCESS,
    UNFINISHED,
    Seen,
    seen,
)
from tests.routing.envoy.answers.examples import (
    AZURE,
    BLOCK,
    BLOCK_END,
    BROKEN,
    COMPLETED,
    CONTINUOUS,
    COUNTED,
    CREATED,
    CUT,
    DONE,
    ENDING,
    FILTERS,
    HI,
    LLAMA,
    LLAMA_END,
    LLAMA_PART,
    MESSAGE,
    OLLAMA,
    OVERLOADED,
    PING,
    RANKED,
    RESPONSE,
    ROLE,
    START,
    STOP,
    TENSORS,
    TEXT,
    TEXT_DELTA,
    TEXT_LAST,
    TEXT_PART,
    TGI_DETAILS,
    TGI_END,
    TGI_PART,
    TOOL,
    UNFILTERED,
    VECTORS,
    VLLM_FIRST,
    choice,
    delta,
)
from tests.servers.broken_servers import Answer, BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

Case = tuple[str, str, Answer, Seen]

CUT_SHORT = {**TGI_DETAILS, "finish_reason": "length"}

GENERATED = {
    "model_name": "ensemble",
    "model_version": "1",
    "sequence_end": False,
    "sequence_id": 0,
    "sequence_start": False,
    "cum_log_probs": 0.0,
    "output_log_probs": [0.0, 0.0],
}


def tensor(datatype: str, shape: list[int], **more: Any) -> dict[str, Any]:
    return {"model_name": "a", "outputs": [{"name": "x", "datatype": datatype, "shape": shape, **more}]}


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
    (
        "vllm",
        CHAT,
        events(VLLM_FIRST, *CONTINUOUS, delta(finish="stop"), {"choices": [], "usage": COUNTED}, DONE),
        SUCCESS,
    ),
    ("vllm", CHAT, events(VLLM_FIRST, {"error": {"message": "x", "code": 500}}, DONE), ERROR),
    ("vllm", CHAT, document({"object": "error", "message": "x", "code": 400}), ERROR),
    ("vllm", COMPLETIONS, document(TEXT), SUCCESS),
    ("vllm", COMPLETIONS, events(TEXT, TEXT_LAST, DONE), SUCCESS),
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
    ("llama-cpp", "/completion", document({**LLAMA, "content": "", "stop_type": "limit"}), NO_ANSWER),
    ("llama-cpp", COMPLETIONS, document(TEXT), SUCCESS),
    ("llama-cpp", CHAT, events(delta("Hi"), delta(finish="stop"), DONE), SUCCESS),
    ("llama-cpp", "/embedding", document([{"index": 0, "embedding": [[0.1]]}]), SUCCESS),
    ("llama-cpp", "/embeddings", document([{"index": 0, "embedding": [[0.1]]}]), SUCCESS),
    ("llama-cpp", "/v1/embeddings", document(VECTORS), SUCCESS),
    ("llama-cpp", "/v1/reranking", document(RANKED), SUCCESS),
    # TGI.
    ("tgi", "/generate", document({"generated_text": "Hi", "details": None}), SUCCESS),
    ("tgi", "/generate", document({"generated_text": ""}), NO_ANSWER),
    ("tgi", "/generate", document({"generated_text": "", "details": CUT_SHORT}), NO_ANSWER),
    ("tgi", "/generate_stream", events(TGI_PART, {**TGI_END, "generated_text": "", "details": CUT_SHORT}), NO_ANSWER),
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
    ("anthropic", MESSAGES, document({**MESSAGE, "content": []}), NO_ANSWER),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [], "stop_reason": "refusal"}), NO_ANSWER),
    ("anthropic", MESSAGES, document({**MESSAGE, "content": [], "stop_reason": "max_tokens"}), NO_ANSWER),
    ("anthropic", MESSAGES, document(OVERLOADED), ERROR),
    ("anthropic", MESSAGES, named_events(START, BLOCK, PING, TEXT_PART, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, named_events(START, TOOL, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, events(START, BLOCK, TEXT_PART, BLOCK_END, ENDING, STOP), SUCCESS),
    ("anthropic", MESSAGES, named_events(START, PING, PING, ENDING, STOP), NO_ANSWER),
    ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, BLOCK_END, ENDING), UNFINISHED),
    ("anthropic", MESSAGES, named_events(START, BLOCK, TEXT_PART, OVERLOADED), ERROR),
    # OpenAI's Responses.
    ("openai", RESPONSES, document(RESPONSE), SUCCESS),
    ("openai", RESPONSES, document(CUT), SUCCESS),
    ("openai", RESPONSES, document(BROKEN), ERROR),
    ("openai", RESPONSES, document({**RESPONSE, "status": "failed"}), ERROR),
    ("openai", RESPONSES, document({**RESPONSE, "output": []}), NO_ANSWER),
    ("openai", RESPONSES, document({**RESPONSE, "status": "queued", "background": True, "output": []}), SUCCESS),
    ("openai", RESPONSES, document({**RESPONSE, "status": "in_progress", "background": True, "output": []}), SUCCESS),
    ("openai", RESPONSES, document({**RESPONSE, "status": "in_progress", "output": []}), NO_ANSWER),
    ("openai", RESPONSES, document({**RESPONSE, "background": True, "output": []}), NO_ANSWER),
    ("openai", RESPONSES, document({**CUT, "output": []}), NO_ANSWER),
    ("openai", RESPONSES, named_events(CREATED, TEXT_DELTA, COMPLETED), SUCCESS),
    ("openai", RESPONSES, named_events(CREATED, {"type": "response.incomplete", "response": CUT}), SUCCESS),
    (
        "openai",
        RESPONSES,
        named_events(CREATED, {"type": "response.incomplete", "response": {**CUT, "output": []}}),
        NO_ANSWER,
    ),
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
    ("openai", "/v1/audio/transcriptions", stream(event({"type": "transcript.text.done", "text": "Hi"})), SUCCESS),
    # Triton and the Open Inference Protocol.
    ("triton", "/v2/models/a/infer", document(TENSORS), SUCCESS),
    ("triton", "/v2/models/a/infer", document({"x": TENSORS}), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document({"model_name": "a", "outputs": []}), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document({"outputs": [{}]}), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("FP32", [0])), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("FP32", [2, 0], data=[[], []])), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("FP32", [2], data=[None, None])), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("BYTES", [2], data=["", " "])), NO_ANSWER),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("BYTES", [2], data=["", "Hi"])), SUCCESS),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("BOOL", [1], data=[False])), SUCCESS),
    ("kserve-v2", "/v2/models/a/infer", document(tensor("INT64", [1, 1], data=[[0]])), SUCCESS),
    (
        "kserve-v2",
        "/v2/models/a/infer",
        document(tensor("FP32", [2], parameters={"shared_memory_region": "r", "shared_memory_byte_size": 8})),
        SUCCESS,
    ),
    ("triton", "/v2/models/a/generate", document({**GENERATED, "text_output": "Hi"}), SUCCESS),
    ("triton", "/v2/models/a/generate", document({**GENERATED, "text_output": ["Hi", "Ho"]}), SUCCESS),
    ("triton", "/v2/models/a/generate", document({**GENERATED, "text_output": ""}), NO_ANSWER),
    ("triton", "/v2/models/a/generate", document({**GENERATED, "text_output": ["", " "]}), NO_ANSWER),
    ("triton", "/v2/models/a/generate", document({**GENERATED, "text_output": None}), NO_ANSWER),
    ("triton", "/v2/models/a/generate", document({"model_name": "a", "model_version": "1"}), NO_ANSWER),
    # What a model of its own answers is called as its outputs are.
    ("triton", "/v2/models/a/generate", document({"model_name": "a", "model_version": "1", "ANSWER": 0}), SUCCESS),
    ("triton", "/v2/models/a/generate", document({"model_name": "a", "OUT": []}), NO_ANSWER),
    ("triton", "/v2/models/a/generate_stream", events({"model_name": "a", "text_output": "Hi"}), SUCCESS),
    ("triton", "/v2/models/a/generate_stream", events(GENERATED, {**GENERATED, "text_output": ""}), NO_ANSWER),
    ("triton", "/v2/models/a/generate_stream", events({"text_output": "Hi"}, {"text_output": ""}), SUCCESS),
    ("triton", "/v2/models/a/generate_stream", events({"model_name": "a", "OUT": "Hi"}), SUCCESS),
    ("triton", "/v2/models/a/generate_stream", events({"model_name": "a"}, {"error": "x"}), ERROR),
    ("triton", "/v2/models/a/generate_stream", stream(b": wait\n\n"), NO_ANSWER),
]


@pytest.mark.parametrize(("kind", "path", "answer", "expected"), DOCUMENTED)
def test_what_is_documented(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == expected


@pytest.mark.parametrize(("tensors", "expected"), [(b"\x00}\x01{", SUCCESS), (b"", NO_ANSWER)])
def test_tensors_in_bytes_stand_behind_the_json(
    envoy: RunningEnvoy, server: BrokenServer, tensors: bytes, expected: Seen
) -> None:
    body = json.dumps(tensor("FP32", [1], parameters={"binary_data_size": len(tensors)})).encode()
    header = OK + b"content-type: application/octet-stream\r\ninference-header-content-length: %d\r\n" % len(body)
    server.answer = say(header + b"content-length: %d\r\n\r\n" % (len(body) + len(tensors)), body, tensors)

    assert seen(envoy, "/v2/models/a/infer", "triton") == expected
