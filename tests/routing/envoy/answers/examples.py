"""Answers and parts of them, plain and streamed, as those who make the servers document them."""

from typing import Any


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

FILTERS = {"hate": {"filtered": False, "severity": "safe"}}
UNFILTERED = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
AZURE = "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
TEXT = {"object": "text_completion", "choices": [{"index": 0, "text": "Hi", "logprobs": None, "finish_reason": None}]}
TEXT_LAST = {"object": "text_completion", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}
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
