"""What resources that routing tables are made of have in common."""

from collections.abc import Collection
from functools import cached_property
from typing import Any, TypeVar

from controlplane.api.fields import StrictModelSerializer
from controlplane.catalogue.resource import Words
from controlplane.web.editing import VersionedForm
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


class DefaultsForm(VersionedForm):
    """A form in which what has a default may be left empty."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._defaults = {name: default for name in self.fields if (default := self._default(name)) is not None}
        for name in self._defaults:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """What was typed, and the defaults of what was left empty."""
        cleaned = super().clean() or self.cleaned_data
        return cleaned | {name: value for name, value in self._defaults.items() if cleaned.get(name) in (None, "")}

    def _default(self, name: str) -> int | float | str | list[Any] | None:
        field = self._meta.model._meta.get_field(name)
        default = getattr(field, "default", None)
        if default is list:
            return []
        if getattr(field, "blank", False):
            return None
        return default if isinstance(default, int | float | str) and not isinstance(default, bool) else None


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
