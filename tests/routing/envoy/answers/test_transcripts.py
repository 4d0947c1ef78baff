"""Transcripts, sounds and pictures by OpenAI's API.

`text` of a transcript is a text, and what is no JSON is `text`, `srt` or `vtt`, with words in it. An empty transcript
is right for silence alone: it is none in both arms alike.
"""

from typing import Any

import pytest

from tests.factories.answers import document, plain
from tests.routing.envoy.answers.edge import NO_ANSWER, SUCCESS, Seen, seen
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

TEXT, VTT, SRT = b"text/plain; charset=utf-8", b"text/vtt", b"application/x-subrip"
CUE = b"1\n00:00:00,000 --> 00:00:01,000\n"


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/translations"])
@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (TEXT, b"Hi there.\n", SUCCESS),
        (TEXT, "\u4f60\u597d".encode(), SUCCESS),
        (TEXT, b"1984\n", SUCCESS),
        (TEXT, b"[BLANK_AUDIO]", SUCCESS),
        (TEXT, b"Hi.\n" * 20_000, SUCCESS),
        (TEXT, CUE + b"Hi there.\n\n", SUCCESS),
        (SRT, CUE + b"Hi there.\r\n\r\n", SUCCESS),
        (VTT, b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", SUCCESS),
        (VTT, b"WEBVTT\n\n1\n00:00.000 --> 00:01.000\n42 of them\n", SUCCESS),
        (TEXT, b"", NO_ANSWER),
        (TEXT, b" \n\t\r\n", NO_ANSWER),
        (TEXT, "\u00a0\u200b\n".encode(), NO_ANSWER),
        (VTT, b"WEBVTT\n", NO_ANSWER),
        (TEXT, b"WEBVTT\n\n00:00.000 --> 00:01.000\n\n", NO_ANSWER),
        (SRT, CUE + b" \n\n" + CUE.replace(b"1", b"2", 1) + b"\n", NO_ANSWER),
        (TEXT, b"Internal Server Error", NO_ANSWER),
        (TEXT, b"502 Bad Gateway\n", NO_ANSWER),
        (TEXT, b"HTTP/1.1 503 Service Unavailable", NO_ANSWER),
        (TEXT, b"Error: gateway timeout.", NO_ANSWER),
        (TEXT, b"The talk is about an internal server error.", SUCCESS),
        (TEXT, b'{"detail": "x"}', NO_ANSWER),
        (TEXT, b"<!DOCTYPE html><p>Sign in</p>", NO_ANSWER),
        (b"audio/mpeg", b"\xff\xfb\x90\x64" * 99, NO_ANSWER),
        (b"application/octet-stream", b"Hi there.", NO_ANSWER),
        (b"image/png", b"Hi there.", NO_ANSWER),
    ],
)
def test_a_transcript_that_is_no_json_has_words(
    envoy: RunningEnvoy, server: BrokenServer, path: str, kind: bytes, body: bytes, expected: Seen
) -> None:
    server.answer = plain(body, kind)

    assert seen(envoy, path) == expected


VERBOSE = {"task": "transcribe", "language": "english", "duration": 1.5}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": "Hi"}, SUCCESS),
        ({**VERBOSE, "text": "Hi", "segments": [{"id": 0, "text": "Hi"}]}, SUCCESS),
        ({"text": 5}, NO_ANSWER),
        ({"text": True}, NO_ANSWER),
        ({"text": ["Hi"]}, NO_ANSWER),
        ({"text": {"en": "Hi"}}, NO_ANSWER),
        ({"text": None}, NO_ANSWER),
        (VERBOSE, NO_ANSWER),
        ({**VERBOSE, "segments": [{"id": 0, "text": "Hi"}]}, NO_ANSWER),
        ({**VERBOSE, "text": "", "segments": [{"id": 0, "text": ""}]}, NO_ANSWER),
    ],
)
def test_the_text_of_a_transcript_is_a_text(
    envoy: RunningEnvoy, server: BrokenServer, content: Any, expected: Seen
) -> None:
    server.answer = document(content)

    assert seen(envoy, "/v1/audio/transcriptions") == expected


@pytest.mark.parametrize("kind", [b"audio/mpeg", b"audio/pcm", b"application/octet-stream"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "x"}}' + b" " * 99,
        b'{ "detail": "x" }',
        b"<html><p>Sign in</p>" * 9,
        b"\n<!DOCTYPE html>",
        b"<?xml version='1.0'?>",
        b"Internal Server Error",
    ],
)
def test_a_sound_is_no_document_that_is_called_one(
    envoy: RunningEnvoy, server: BrokenServer, kind: bytes, body: bytes
) -> None:
    server.answer = plain(body, kind)

    assert seen(envoy, "/v1/audio/speech") == NO_ANSWER


URL = {"url": "https://pictures.example.com/1.png"}


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([URL, URL], SUCCESS),
        ([{"b64_json": "iVBOR", "revised_prompt": "a cat"}], SUCCESS),
        ([URL, {}], NO_ANSWER),
        ([URL, {"revised_prompt": "a cat"}], NO_ANSWER),
        ([{"url": 5}], NO_ANSWER),
        ([{"b64_json": True}], NO_ANSWER),
    ],
)
def test_each_picture_is_there(envoy: RunningEnvoy, server: BrokenServer, pictures: Any, expected: Seen) -> None:
    server.answer = document({"created": 1, "data": pictures})

    assert seen(envoy, "/v1/images/generations") == expected


@pytest.mark.parametrize("answer", [plain(b"\x89PNG\r\n\x1a\n" * 9, b"image/png"), plain(b"Hi", b"text/plain")])
def test_a_picture_comes_in_json(envoy: RunningEnvoy, server: BrokenServer, answer: Answer) -> None:
    server.answer = answer

    assert seen(envoy, "/v1/images/edits") == NO_ANSWER
