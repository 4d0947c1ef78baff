"""Tokens are told where the API tells them."""

import pytest

from tests.factories.answers import document, events, named_events
from tests.routing.envoy.answers.edge import CHAT, MESSAGES, RESPONSES, row_of
from tests.routing.envoy.answers.examples import (
    COMPLETED,
    CONTINUOUS,
    COUNTED,
    CREATED,
    DONE,
    ENDING,
    HI,
    LLAMA,
    LLAMA_END,
    LLAMA_PART,
    RANKED,
    RESPONSE,
    START,
    STOP,
    TEXT_PART,
    TGI_DETAILS,
    TGI_END,
    TGI_PART,
    VECTORS,
    choice,
    delta,
)
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

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
