"""Lines of the access log to test with."""

import json
from typing import Any

FACTS = {
    "backend": "stable",
    "completion_tokens": 22,
    "endpoint": "chat",
    "experiment": "new-model",
    "forced": False,
    "prompt_tokens": 11,
    "stage": 2,
    "table_version": 7,
    "variant": "control",
}
ANSWER = {"backend": "stable", "completion_price": 2, "prompt_price": 1}
LINE = {
    "answered_by": ANSWER,
    "attempts": 1,
    "body_bytes": 350,
    "duration_ms": 33,
    "duration_us": 33269,
    "facts": FACTS,
    "flags": "-",
    "kind": "application/json",
    "request_id": "12976639-d1ed-41da-ba40-edfbb1b5d107",
    "status": 200,
    "time": "2026-11-23T19:07:03.779934Z",
    "ttft_us": 33114,
    "unit": "alice",
}


def make_line(facts: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """A line as Envoy writes it, without its end; `facts` are changes to the facts, None leaves one out."""
    merged = {name: value for name, value in {**FACTS, **(facts or {})}.items() if value is not None}
    line = {**LINE, **changes, "facts": merged}
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()


def numbered_line(number: int) -> bytes:
    """A line of its own request, with its end."""
    return make_line(request_id=f"request-{number}", unit=f"user-{number}") + b"\n"
