"""Bodies of requests."""

import gzip
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.parsers import BaseParser

from controlplane.problems.errors import InvalidInput
from controlplane.problems.request_limits import LARGEST_BATCH, LARGEST_BODY, too_large
from controlplane.problems.strict_json import decode_json, read_json, unreadable

KNOWN_CODINGS = ("", "identity", "gzip", "x-gzip")


class StrictJSONParser(BaseParser):
    """`application/json`, which is UTF-8 whatever its parameters say."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body. Raises `TooLarge`, and `InvalidInput` with every place that cannot be used."""
        return read_json(at_most(LARGEST_BODY, stream))


class BatchParser(BaseParser):
    """`application/json` that holds many things of which each is checked by itself, and may come as gzip."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body, whatever is in it. Raises `InvalidInput`, `TooLarge` and `UnknownCoding` among them."""
        coding = (parser_context or {})["request"].headers.get("Content-Encoding", "").strip().lower()
        return decode_json(_uncompressed(at_most(LARGEST_BODY, stream), coding))


class UnknownCoding(InvalidInput):
    """The body is compressed in a way that is not read here."""

    status = 415
    title = "Unsupported media type"


def at_most(most: int, stream: IO[bytes] | gzip.GzipFile) -> bytes:
    """All of a stream, of which no more is read than is taken. Raises `TooLarge`."""
    content = stream.read(most + 1)
    if len(content) > most:
        raise too_large(most)
    return content


def _uncompressed(content: bytes, coding: str) -> bytes:
    if coding not in KNOWN_CODINGS:
        raise UnknownCoding(
            "unsupported-content-encoding",
            f"The body is encoded as {coding}.",
            next_step="Send it as it is, or with `Content-Encoding: gzip`.",
        )
    if "gzip" not in coding:
        return content
    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as stream:
            return at_most(LARGEST_BATCH, stream)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise unreadable(f"It is not gzip: {error}.") from error
