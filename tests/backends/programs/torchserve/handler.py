"""A model for TorchServe that takes a while to load."""

import json
import time
from typing import Any

time.sleep(3)


def handle(data: list[dict[str, Any]] | None, context: object) -> list[int] | None:
    """The sum of each request's numbers."""
    return None if data is None else [sum(_body(request)["numbers"]) for request in data]


def _body(request: dict[str, Any]) -> dict[str, Any]:
    body = request["body"]
    content: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    return content
