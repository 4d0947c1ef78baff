"""The web app as gunicorn serves it."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from django.core.wsgi import get_wsgi_application

from controlplane.problems.request_limits import LARGEST_BODY

PIECE = 1 << 16

Environment = dict[str, Any]
StartResponse = Callable[..., Any]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings.django")
_answer = get_wsgi_application()


class Body(Protocol):
    """What can be read of a request."""

    def read(self, size: int) -> bytes:
        """So many bytes at the most; none at the end."""


def application(environment: Environment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request whose body has been read to its end, also where the answer needed nothing of it.

    A connection that is closed with a part of the request unread is reset, and takes the answer with it.
    """
    body: Body = environment["wsgi.input"]
    answer = _answer(environment, start_response)
    drain(body)
    return answer


def drain(body: Body, most: int = LARGEST_BODY) -> None:
    """Read what is left of a body, so many bytes at the most."""
    while most > 0 and (piece := body.read(min(PIECE, most))):
        most -= len(piece)
