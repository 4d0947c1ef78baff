"""What a model thinks within its text, between marks, is not for its user.

The marks are those that models of DeepSeek, Qwen and Mistral write.
"""

import json

import pytest

from tests.factories.answers import OK, chunk, document, events, named_events, plain
from tests.routing.envoy.answers.edge import CHAT, COMPLETIONS, MESSAGES, NO_ANSWER, RESPONSES, SUCCESS, Seen, seen
from tests.routing.envoy.answers.examples import (
    COMPLETED,
    CREATED,
    DONE,
    ENDING,
    MESSAGE,
    RESPONSE,
    ROLE,
    START,
    STOP,
    choice,
    delta,
)
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

LONG = "Hm, \u00e4 \\ \n " * 200
TEXTS: list[tuple[list[str], Seen]] = [
    (["<think>", "Hm.", "</think>"], NO_ANSWER),
    (["\n<think>\n", "Hm", "</think>", "\n\n"], NO_ANSWER),
    (["<think>", "Hm."], NO_ANSWER),
    (["<think>", "</think>", "\n", "<think>Hm</think>"], NO_ANSWER),
    (["<", "thi", "nk>", "a", "</", "think", ">", " "], NO_ANSWER),
    (["[THINK]", "Hm.", "[/THINK]"], NO_ANSWER),
    (["<thinking>", "Hm.", "</thinking>"], NO_ANSWER),
    (["<think>", LONG, "</think>", "\u2003"], NO_ANSWER),
    (["<think>", "Hm.", "</think>", "\n\n", "Hi"], SUCCESS),
    (["<think>", LONG, "</think>", "\n\n", "Hi"], SUCCESS),
    (["<", "thi", "nk>", "a", "</", "think", ">", "b"], SUCCESS),
    (["<", "b", ">Hi</b>"], SUCCESS),
    (["Hi ", "<think>", "Hm."], SUCCESS),
    (["<thinker>"], SUCCESS),
    # The mark that begins a thought may stand in the prompt, as the templates of DeepSeek R1 and of Qwen's have it.
    (["Hm.", "\n</think>", "\n\n"], NO_ANSWER),
    (["</think>"], NO_ANSWER),
    (["Hm", ".</th", "ink", ">", " \n"], NO_ANSWER),
    (["Hm [a](b)", "[/THINK]"], NO_ANSWER),
    ([LONG, "</think>"], NO_ANSWER),
    (["Hm.</think>", "<think>Hm.</think>"], NO_ANSWER),
    (["Hm.</think>", "Hm.</think>"], NO_ANSWER),
    (["Hm.", "\n</think>", "\n\n", "Hi"], SUCCESS),
    ([LONG, "</think>", "Hi"], SUCCESS),
    (["Hi <think>", "Hm.", "</think>"], SUCCESS),
    (["<think>", "Hm.", "</think>", "It ends with </think>"], SUCCESS),
    (["a < b", " and [c]"], SUCCESS),
]


@pytest.mark.parametrize(("texts", "expected"), TEXTS)
def test_thoughts_aloud(envoy: RunningEnvoy, server: BrokenServer, texts: list[str], expected: Seen) -> None:
    text = "".join(texts)
    said = {"type": "output_text", "text": text}
    for kind, path, answer in (
        ("openai", CHAT, document(choice({"role": "assistant", "content": text}))),
        ("openai", CHAT, events(delta(ROLE), *map(delta, texts), delta(finish="stop"), DONE)),
        ("openai", COMPLETIONS, document({"choices": [{"text": text, "finish_reason": "stop"}]})),
        ("openai", RESPONSES, document({**RESPONSE, "output": [{"type": "message", "content": [said]}]})),
        (
            "openai",
            RESPONSES,
            named_events(
                CREATED,
                *({"type": "response.output_text.delta", "delta": each} for each in texts),
                {**COMPLETED, "response": {**RESPONSE, "output": []}},
            ),
        ),
        ("anthropic", MESSAGES, document({**MESSAGE, "content": [{"type": "text", "text": text}]})),
        (
            "anthropic",
            MESSAGES,
            named_events(
                START,
                *({"type": "content_block_delta", "delta": {"type": "text_delta", "text": each}} for each in texts),
                ENDING,
                STOP,
            ),
        ),
    ):
        server.answer = answer
        assert seen(envoy, path, kind) == expected


@pytest.mark.parametrize("size", [1, 7, 300, 1000])
@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("behind", ["", "Hi"])
@pytest.mark.parametrize("begin", ["<think>", ""])
def test_in_whatever_pieces(
    envoy: RunningEnvoy, server: BrokenServer, begin: str, behind: str, size: int, escaped: bool
) -> None:
    content = choice({"content": f"{begin}{LONG}</think>\n\n{behind}"})
    text = json.dumps(content, ensure_ascii=escaped)
    # As servers in Go write them.
    body = (text.replace("<", "\\u003c").replace(">", "\\u003e") if escaped else text).encode()
    head = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    server.answer = say(head, *(chunk(body[at : at + size]) for at in range(0, len(body), size)), b"0\r\n\r\n")

    assert seen(envoy, CHAT) == (SUCCESS if behind else NO_ANSWER)


def test_a_whole_text_of_the_beginning_of_a_mark_is_a_text(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = plain(json.dumps(choice({"content": "<"})).encode())

    assert seen(envoy, CHAT) == SUCCESS
