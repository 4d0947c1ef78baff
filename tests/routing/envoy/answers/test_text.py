"""JSON is text in UTF-8, by RFC 8259; what is not is none, and what carries its mark, or says no encoding, is."""

import json

import pytest

from tests.factories.answers import OK, STREAM, chunk, document, event, plain
from tests.routing.envoy.answers.edge import CHAT, ERROR, NO_ANSWER, SUCCESS, seen
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

PLAIN = OK + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
MARK = b"\xef\xbb\xbf"
DONE = event("[DONE]")


def said(text: bytes) -> bytes:
    """Beside the text, a name and a member that nobody looks at have it too."""
    choice = b'"message":{"content":"%b"},"delta":{"content":"Hi"},"finish_reason":"stop"' % text
    return b'{"choices":[{%b}],"%b":["%b"]}' % (choice, text, text)


def pieces(body: bytes, size: int) -> bytes:
    return b"".join(chunk(body[at : at + size]) for at in range(0, len(body), size))


# The first and the last letter of each length and, of three bytes, those beside the surrogates.
LETTERS = "\x7f\u0080\u07ff\u0800\u0fff\u1000\ucfff\ud7ff\ue000\uffff\U00010000\U0003ffff\U00040000\U000fffff\U0010ffff"

ODD = [
    *(b"\x80", b"\xbf", b"\xc2", b"\xc3\xc3\xa4", b"\xe2\x82", b"\xe2\x82x", b"\xf0\x9f\x98", b"\xf0\x9f\x98 "),
    # Longer than needed, surrogates, behind the last letter, and bytes that begin none.
    *(b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf"),
    *(
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\xc3\xa4\xa4",
        b"\xe2\x28\xa1",
        b"\xf0\x28\x8c\xbc",
    ),
]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_letters_of_any_length_are_text(envoy: RunningEnvoy, server: BrokenServer, size: int) -> None:
    body = said(LETTERS.encode() * 3)
    assert json.loads(body)

    server.answer = say(PLAIN, pieces(body, size), LAST)
    assert seen(envoy, CHAT) == SUCCESS

    server.answer = say(STREAM, pieces(b"data: " + body + b"\n\n" + DONE, size), LAST)
    assert seen(envoy, CHAT) == SUCCESS


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_utf_8_is_no_answer(envoy: RunningEnvoy, server: BrokenServer, text: bytes, size: int) -> None:
    with pytest.raises(UnicodeDecodeError):
        text.decode()

    server.answer = say(PLAIN, pieces(said(text), size), LAST)
    assert seen(envoy, CHAT) == NO_ANSWER

    server.answer = say(STREAM, pieces(b"data: " + said(text) + b"\n\n" + DONE, size), LAST)
    assert seen(envoy, CHAT) == NO_ANSWER


@pytest.mark.parametrize("body", [b'{"%b":1}', b'{"x":{"%b":1}}', b'{"x":"%b"}', b'["%b"]', b'{"choices":{"%b":"%b"}}'])
def test_it_is_none_wherever_it_stands(envoy: RunningEnvoy, server: BrokenServer, body: bytes) -> None:
    # A document of an error says so, where it is one.
    error = b'{"error":"x","y":' + body.replace(b"%b", b"\xff") + b"}"

    server.answer = plain(error)
    assert seen(envoy, CHAT) == NO_ANSWER

    server.answer = plain(error.replace(b"\xff", b"\xc3\xa4"))
    assert seen(envoy, CHAT) == ERROR


def test_a_text_longer_than_what_is_looked_at_is_checked_to_its_end(envoy: RunningEnvoy, server: BrokenServer) -> None:
    for last, expected in ((b"\xc3\xa4", SUCCESS), (b"\xc3", NO_ANSWER)):
        server.answer = say(PLAIN, pieces(said(b"\xc3\xa4" * 1000 + last), 511), LAST)

        assert seen(envoy, CHAT) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_mark_of_the_order_of_bytes_may_come_in_pieces(
    envoy: RunningEnvoy, server: BrokenServer, size: int
) -> None:
    server.answer = say(PLAIN, pieces(MARK + said(b"Hi"), size), LAST)
    assert seen(envoy, CHAT) == SUCCESS

    server.answer = say(STREAM, pieces(MARK + b"data: " + said(b"Hi") + b"\n\n" + DONE, size), LAST)
    assert seen(envoy, CHAT) == SUCCESS


@pytest.mark.parametrize("body", [MARK, MARK[:2], MARK[:2] + said(b"Hi"), MARK + MARK + said(b"Hi")])
def test_no_more_than_one_whole_mark_is_left_out(envoy: RunningEnvoy, server: BrokenServer, body: bytes) -> None:
    server.answer = plain(body)

    assert seen(envoy, CHAT) == NO_ANSWER


def test_an_encoding_of_no_name_is_none(envoy: RunningEnvoy, server: BrokenServer) -> None:
    body = said(b"Hi")
    head = b"content-type: application/json\r\ncontent-encoding: \r\ncontent-length: %d\r\n\r\n" % len(body)
    server.answer = say(OK + head, body)

    assert seen(envoy, CHAT) == SUCCESS


@pytest.mark.parametrize("path", [f"{CHAT}/", f"{CHAT}//", "/V1/Chat/Completions", f"{CHAT}//?a=b"])
def test_a_path_written_otherwise_asks_for_the_same(envoy: RunningEnvoy, server: BrokenServer, path: str) -> None:
    server.answer = document({"error": {"message": "x"}})

    assert seen(envoy, path) == ERROR
