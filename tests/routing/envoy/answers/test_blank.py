"""An answer of nothing but blanks is read by nobody: it holds nothing, in whatever pieces and letters it comes."""

import json
from typing import Any

import pytest

from tests.factories.answers import OK, STREAM, chunk, document, event, events, named_events, plain
from tests.routing.envoy.answers.edge import (
    CHAT,
    COMPLETIONS,
    ERROR,
    MESSAGES,
    NO_ANSWER,
    RESPONSES,
    SUCCESS,
    Seen,
    seen,
)
from tests.routing.envoy.answers.examples import DONE, choice, delta
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

# White_Space of Unicode's PropList.txt that JSON may hold, the controls between, and letters of no width.
WHITE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, ends of its ranges, and the blank of Braille.
IGNORED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u2061\u2065\u206a\u206f\u3164\ufe00\ufe0f\uffa0"
    "\ufff0\ufff8\u2800"
)
IGNORED_BEYOND = "\U0001bca0\U0001bca3\U0001d173\U0001d17a\U000e0001\U000e0fff"
# Controls (Cc) but those of white space, and U+FFFD, which stands for a letter that could not be read.
CONTROLS = "\x7f\x80\x84\x86\x9f\ufffd"
BLANKS = [
    " ",
    *CONTROLS,
    IGNORED_BEYOND,
    "\n\n\n",
    "\r\n\t",
    "\u00a0",
    NO_WIDTH,
    *IGNORED,
    IGNORED,
    WHITE,
    WHITE * 200,
    "\n" * 100_000,
]
VISIBLE = [
    "a",
    "\n\n\na",
    "a" + WHITE,
    WHITE * 200 + "ä",
    "\\",
    "\\n",
    '"',
    "\u2030",
    "\U0001f600",
    "\U0001d172",
    "\U000e1000",
    "\u3001",
    "\u00a1",
    "\u200b\U0001f600",
    "\u2764\ufe0f",
    "\u2801",
    "\u1161",
    "\ufff9",
    "0",
]


def body(text: str, *, escaped: bool) -> bytes:
    return json.dumps(choice({"role": "assistant", "content": text}), ensure_ascii=escaped).encode()


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize(
    ("text", "expected"), [*((text, NO_ANSWER) for text in BLANKS), *((text, SUCCESS) for text in VISIBLE)]
)
def test_blanks_alone_are_nothing(
    envoy: RunningEnvoy, server: BrokenServer, text: str, expected: Seen, escaped: bool
) -> None:
    server.answer = plain(body(text, escaped=escaped))

    assert seen(envoy, CHAT) == expected


@pytest.mark.parametrize("size", [1, 5, 64, 255, 1000])
@pytest.mark.parametrize(("text", "expected"), [(WHITE * 40, NO_ANSWER), (WHITE * 40 + "ä", SUCCESS)])
def test_in_whatever_pieces(envoy: RunningEnvoy, server: BrokenServer, text: str, expected: Seen, size: int) -> None:
    for escaped in (True, False):
        whole = body(text, escaped=escaped)
        head = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        server.answer = say(head, *(chunk(whole[at : at + size]) for at in range(0, len(whole), size)), b"0\r\n\r\n")

        assert seen(envoy, CHAT) == expected


def test_a_stream_of_blanks_is_nothing_until_a_letter_comes(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = events(
        delta({"role": "assistant", "content": ""}), delta(" "), delta("\n"), delta(finish="stop"), DONE
    )
    assert seen(envoy, CHAT) == NO_ANSWER

    server.answer = events(delta(" "), delta("\n"), delta("a"), delta(" "), delta(finish="stop"), DONE)
    assert seen(envoy, CHAT) == SUCCESS

    blank = json.dumps(delta("\n" * 400)).encode()
    server.answer = say(
        STREAM, chunk(b"data: " + blank[:300]), chunk(blank[300:] + b"\n\n"), chunk(event(DONE)), b"0\r\n\r\n"
    )
    assert seen(envoy, CHAT) == NO_ANSWER


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        ("openai", COMPLETIONS, document({"choices": [{"text": "\n", "finish_reason": "stop"}]})),
        ("openai", CHAT, document(choice({"content": [{"type": "text", "text": " "}]}))),
        ("openai", CHAT, document(choice({"content": None, "reasoning_content": "\n"}))),
        (
            "openai",
            RESPONSES,
            document(
                {
                    "status": "completed",
                    "output": [{"type": "message", "content": [{"type": "output_text", "text": " "}]}],
                }
            ),
        ),
        ("anthropic", MESSAGES, document({"content": [{"type": "text", "text": "\n"}], "stop_reason": "end_turn"})),
        (
            "anthropic",
            MESSAGES,
            named_events(
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "\n"}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            ),
        ),
        ("tgi", "/generate", document({"generated_text": " "})),
        ("llama-cpp", "/completion", document({"content": "\n\n", "stop": True, "stop_type": "eos"})),
    ],
)
def test_by_every_protocol_of_text(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, path: str, answer: Any
) -> None:
    server.answer = answer

    assert seen(envoy, path, kind) == NO_ANSWER


def test_blanks_excuse_no_error_and_no_length_excuses_them(envoy: RunningEnvoy, server: BrokenServer) -> None:
    server.answer = document({**choice({"content": " "}), "error": " "})
    assert seen(envoy, CHAT) == ERROR

    server.answer = document(choice({"content": "\n"}, finish="length"))
    assert seen(envoy, CHAT) == NO_ANSWER
