"""What resources that routing tables are made of have in common."""

from collections.abc import Collection
from functools import cached_property
from typing import TypeVar

from controlplane.api.fields import StrictModelSerializer
from controlplane.catalogue.resource import Words
from routing.models import Backend, Endpoint, Issuer
from routing.resources.broken_rows import known_backends, what_is_broken

Served = TypeVar("Served", Backend, Issuer, Endpoint)


class ServedSerializer(StrictModelSerializer[Served]):
    """What routing tables are made of; broken is also what edges could not serve."""

    def get_broken(self, row: Served) -> str:
        """A sentence; empty for a sound row."""
        return what_is_broken(row, self._backends)

    @cached_property
    def _backends(self) -> Collection[str]:
        """Read once for all rows of a list."""
        return known_backends()


def published(removal: str, *, added: str = "is registered.", note: str = "") -> Words:
    """The words for what edges learn of at once."""
    return Words(
        verb="register",
        added=added,
        changed="is changed; edges apply it within a second.",
        save="Save and publish",
        removal=removal,
        unused="that nothing uses",
        note=note,
    )
