"""Whether edges have confirmed what was done, said on the next page."""

from django.contrib import messages
from django.http import HttpRequest

from routing.publishing.confirmation import await_edges


def tell_confirmation(request: HttpRequest) -> None:
    """Wait for edges, and say which have confirmed what they were told; nothing where none is known."""
    confirmation = await_edges()
    if confirmation.sentence:
        tell = messages.warning if confirmation.missing else messages.success
        tell(request, confirmation.sentence)
