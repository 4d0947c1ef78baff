"""Speech is sound: what is of no format of it, or no longer than the header of one, is no answer.

Headers by the specifications of the formats: RIFF/WAVE 44 bytes, FLAC 42 (RFC 9639), a page of Ogg 28 (RFC 3533), ADTS
7, a frame of MPEG audio 4; a sample of PCM has two bytes.
"""

import pytest

from tests.factories.answers import document, event, named_events, plain, stream
from tests.routing.envoy.answers.edge import ERROR, NO_ANSWER, SUCCESS, UNFINISHED, Seen, seen
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

SPEECH = "/v1/audio/speech"
HEADERS = {
    b"audio/mpeg": 4,
    b"audio/aac": 7,
    b"audio/opus": 28,
    b"audio/ogg; codecs=opus": 28,
    b"audio/flac": 42,
    b"audio/wav": 44,
    b"audio/x-wav": 44,
    b"audio/pcm": 1,
    b"application/octet-stream": 1,
}


@pytest.mark.parametrize(("kind", "header"), HEADERS.items())
@pytest.mark.parametrize(("beyond", "expected"), [(0, NO_ANSWER), (1, SUCCESS), (4000, SUCCESS)])
def test_sound_is_longer_than_the_header_of_its_format(
    envoy: RunningEnvoy, server: BrokenServer, kind: bytes, header: int, beyond: int, expected: Seen
) -> None:
    server.answer = plain(b"\xff" * (header + beyond), kind)

    assert seen(envoy, SPEECH) == expected


@pytest.mark.parametrize("kind", [kind for kind in HEADERS if kind != b"audio/pcm"])
def test_a_byte_is_no_sound(envoy: RunningEnvoy, server: BrokenServer, kind: bytes) -> None:
    server.answer = plain(b"R", kind)

    assert seen(envoy, SPEECH) == NO_ANSWER


DELTA = {"type": "speech.audio.delta", "audio": "//uQxAAA"}
OVER = {"type": "speech.audio.done", "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (plain(b"Please try again later, we are very busy.", b"text/plain"), NO_ANSWER),
        (plain(b"<!doctype html>" * 9, b"text/html"), NO_ANSWER),
        (document({"status": "ok"}), NO_ANSWER),
        (document({"error": {"message": "x"}}), ERROR),
        (named_events(DELTA, OVER), SUCCESS),
        (named_events(DELTA), UNFINISHED),
        (stream(event(OVER)), NO_ANSWER),
        (named_events({**DELTA, "audio": ""}, OVER), NO_ANSWER),
    ],
)
def test_nothing_else_is_sound_but_its_events(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, SPEECH) == expected
