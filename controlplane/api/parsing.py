"""Bodies of requests."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from controlplane.problems.request_limits import LARGEST_BODY, too_large
from controlplane.problems.strict_json import read_json


class StrictJSONParser(BaseParser):
    """`application/json`, which is UTF-8 whatever its parameters say."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body. Raises `TooLarge`, and `InvalidInput` with every place that cannot be used."""
        content = stream.read(LARGEST_BODY + 1)
        if len(content) > LARGEST_BODY:
            raise too_large()
        return read_json(content)
