"""Of members of one name the last one counts, as `json` of Python, `JSON.parse` and `encoding/json` of Go have it.

RFC 8259 says that names should be unique, and that many implementations report the last name and value alone.
"""

import json

import pytest

from tests.factories.answers import event, plain, stream
from tests.routing.envoy.answers.edge import CHAT, ERROR, MESSAGES, NO_ANSWER, RESPONSES, SUCCESS, Seen, seen
from tests.servers.broken_servers import BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

HI = '{"message": {"content": "Hi"}}'
NOTHING = '{"message": {"content": ""}}'
SAID = '{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}'
THOUGHT = '{"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}'


@pytest.mark.parametrize(
    ("path", "kind", "text", "expected"),
    [
        (CHAT, "openai", f'{{"choices": [{HI}], "choices": []}}', NO_ANSWER),
        (CHAT, "openai", f'{{"choices": [{HI}], "choices": null}}', NO_ANSWER),
        (CHAT, "openai", f'{{"choices": [{HI}], "choices": [{NOTHING}]}}', NO_ANSWER),
        (CHAT, "openai", f'{{"choices": [{HI}], "x": 1, "ch\\u006fices": []}}', NO_ANSWER),
        (CHAT, "openai", f'{{"choices": [], "choices": [{HI}]}}', SUCCESS),
        (CHAT, "openai", f'{{"choices": [{NOTHING}], "choices": [{HI}]}}', SUCCESS),
        (CHAT, "openai", f'{{"choices": [{HI}], "choices": [{HI}]}}', SUCCESS),
        (CHAT, "openai", '{"choices": [{"message": {"content": "Hi"}, "message": {}}]}', NO_ANSWER),
        (CHAT, "openai", '{"choices": [{"message": {"content": "Hi"}, "message": null}]}', NO_ANSWER),
        (CHAT, "openai", '{"choices": [{"message": {"content": "Hi", "content": ""}}]}', NO_ANSWER),
        (CHAT, "openai", '{"choices": [{"message": {"content": "Hi", "content": null}}]}', NO_ANSWER),
        (CHAT, "openai", '{"choices": [{"message": {"content": "", "content": "Hi"}}]}', SUCCESS),
        (CHAT, "openai", f'{{"choices": [{HI}, {{"message": {{"content": "Hi"}}, "message": {{}}}}]}}', NO_ANSWER),
        # The same name in objects beside and within each other is no repetition.
        (CHAT, "openai", f'{{"choices": [{HI}, {HI}], "x": {{"choices": []}}}}', SUCCESS),
        (CHAT, "openai", f'{{"choices": [{HI}], "x": 1, "x": 2}}', SUCCESS),
        (CHAT, "openai", f'{{"choices": [{HI}], "error": null, "error": {{"message": "x"}}}}', ERROR),
        (RESPONSES, "openai", f'{{"output": [{SAID}], "output": []}}', NO_ANSWER),
        (RESPONSES, "openai", f'{{"output": [{SAID}], "output": [{THOUGHT}]}}', NO_ANSWER),
        (RESPONSES, "openai", f'{{"output": [{THOUGHT}], "output": [{SAID}]}}', SUCCESS),
        ("/v1/embeddings", "openai", '{"data": [{"embedding": [0.5], "embedding": []}]}', NO_ANSWER),
        ("/v1/embeddings", "openai", '{"data": [{"embedding": [], "embedding": [0.5]}]}', SUCCESS),
        (MESSAGES, "anthropic", '{"content": [{"type": "text", "text": "Hi"}], "content": []}', NO_ANSWER),
        ("/generate", "tgi", '{"generated_text": "Hi", "generated_text": ""}', NO_ANSWER),
        ("/v2/models/a/infer", "triton", '{"outputs": [{"data": [1]}], "outputs": []}', NO_ANSWER),
    ],
)
def test_the_last_one_counts(
    envoy: RunningEnvoy, server: BrokenServer, path: str, kind: str, text: str, expected: Seen
) -> None:
    assert json.loads(text)
    server.answer = plain(text.encode())

    assert seen(envoy, path, kind) == expected


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        (['{"content": "Hi"}, "delta": {}'], NO_ANSWER),
        (['{"content": "Hi", "content": ""}'], NO_ANSWER),
        (['{"content": "", "content": "Hi"}'], SUCCESS),
        # What an earlier event held was held.
        (['{"content": "Hi"}', '{"content": "Hi", "content": ""}'], SUCCESS),
    ],
)
def test_in_an_event_as_well(envoy: RunningEnvoy, server: BrokenServer, deltas: list[str], expected: Seen) -> None:
    parts = [*deltas, '{}, "finish_reason": "stop"']
    server.answer = stream(
        *(b'data: {"choices": [{"delta": %b}]}\n\n' % part.encode() for part in parts), event("[DONE]")
    )

    assert seen(envoy, CHAT) == expected
