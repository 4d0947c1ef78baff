"""In which form an answer is given."""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class WritesAnyway(DefaultContentNegotiation):
    """What is read has a form that its reader accepts; what is done is done, and told in JSON to whoever accepts none.

    No halt fails for the form of its answer, as HTTP leaves it to the server (RFC 9110, 12.5.1).
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Renderer and media type. Raises `NotAcceptable` of reads alone."""
        usual: Sequence[BaseRenderer] = list(renderers)
        try:
            found: tuple[BaseRenderer, str] = super().select_renderer(request, usual, format_suffix)
            return found
        except NotAcceptable:
            if request.method in SAFE_METHODS:
                raise
            return usual[0], str(usual[0].media_type)
