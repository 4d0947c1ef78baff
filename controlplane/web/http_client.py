"""The one place where the control plane calls others over HTTP; an edge's agent has Python's own client."""

import httpx


def answers(url: str, *, timeout: float = 10.0) -> bool:
    """Whether a GET of `url` is answered with a success or a redirect."""
    try:
        return httpx.get(url, timeout=timeout).status_code < httpx.codes.BAD_REQUEST
    except httpx.HTTPError:
        return False
