"""The one place where the control plane calls others over HTTP; an edge's agent has Python's own client."""

import json
from typing import Any

import httpx

LARGEST_ANSWER = 1_000_000
"""Bytes."""


def answers(url: str, *, timeout: float = 10.0) -> bool:
    """Whether a GET of `url` is answered with a success or a redirect."""
    try:
        return httpx.get(url, timeout=timeout).status_code < httpx.codes.BAD_REQUEST
    except httpx.HTTPError:
        return False


def read_json(url: str, *, timeout: float = 5.0) -> Any:
    """What a GET of `url` answers, without following a redirect.

    Raises `OSError` when there is no success, and `ValueError` for what is no JSON or too long.
    """
    try:
        with httpx.stream("GET", url, timeout=timeout) as answer:
            if answer.status_code != httpx.codes.OK:
                raise OSError(f"{url} answers {answer.status_code}")
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > LARGEST_ANSWER:
                    raise ValueError(f"{url} answers more than {LARGEST_ANSWER} bytes")
    except httpx.HTTPError as error:
        raise OSError(f"{url} does not answer: {error}") from error
    return json.loads(content)
