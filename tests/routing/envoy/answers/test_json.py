"""What is no JSON is no answer, in whatever pieces it comes."""

import json

import pytest

from tests.factories.answers import OK, STREAM, chunk, plain
from tests.routing.envoy.answers.edge import CHAT, NO_ANSWER, row_of, seen
from tests.routing.envoy.answers.examples import COUNTED, choice, delta
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

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
