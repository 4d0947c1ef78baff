"""Several changes that are saved together are published once, after the last: edges never hear of half of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from routing.publishing.publish import publish

_HELD: ContextVar[bool] = ContextVar("held", default=False)


@contextmanager
def published_later() -> Iterator[None]:
    """Changes within are not published by themselves: whoever saves them publishes, once they are saved."""
    before = _HELD.set(True)
    try:
        yield
    finally:
        _HELD.reset(before)


def publish_change(cause: str) -> None:
    """Publish one change, unless it is one of several. Raises `DatabaseError`."""
    if not _HELD.get():
        publish(cause)
