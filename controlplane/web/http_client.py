"""The one place where Sluice calls others over HTTP."""

import httpx


def answers(url: str, *, timeout: float = 10.0) -> bool:
    """Whether a GET of `url` is answered with a success or a redirect."""
    try:
        return httpx.get(url, timeout=timeout).status_code < httpx.codes.BAD_REQUEST
    except httpx.HTTPError:
        return False
