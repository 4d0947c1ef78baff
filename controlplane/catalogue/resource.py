"""What people register, change and remove: one description, from which its pages, its calls and its link follow.

Everybody looks, editors write; each write says so itself, and leaves its line in the audit trail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from django.db.models import QuerySet
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from controlplane.audit.actors import Actor
from controlplane.storage.keyed import Keyed
from controlplane.storage.legible_columns import broken_sentence
from controlplane.web.editing import VersionedForm

Row = TypeVar("Row", bound=Keyed)
Written_contra = TypeVar("Written_contra", bound=Keyed, contravariant=True)


class Add(Protocol[Written_contra]):
    """The write that saves a new row."""

    def __call__(self, row: Written_contra, /, *, actor: Actor) -> object:
        """Raises `SluiceError`; then nothing is saved."""


class Edit(Protocol[Written_contra]):
    """The write that sets fields of a row; with `version`, only of that one."""

    def __call__(
        self, row: Written_contra, changes: Mapping[str, Any], /, *, actor: Actor, version: int | None = None
    ) -> object:
        """Raises `SluiceError`, `Outdated` among them; then nothing is saved."""


class Remove(Protocol[Written_contra]):
    """The write that takes a row away; with `version`, only in that one."""

    def __call__(self, row: Written_contra, /, *, actor: Actor, version: int | None = None) -> object:
        """Raises `SluiceError` when something uses it, or as `Edit` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What pages and the API's document say of one kind of thing."""

    verb: str
    added: str
    """What follows its key once it is there, as `changed` does once it is changed."""
    changed: str
    save: str
    removal: str
    """What comes of its removal, and what is kept instead."""
    unused: str
    """What is true of one that can be removed, like `that nothing uses`."""
    note: str = ""
    """What to know before one is changed."""


class Line(NamedTuple):
    """A line of a list: the row, why it is broken, and what else is shown of it."""

    row: Keyed
    broken: str
    more: Mapping[str, Any] = {}


def lines(rows: QuerySet[Any]) -> Mapping[str, Any]:
    """What a list shows that needs nothing but its rows."""
    return {"lines": [Line(row, broken_sentence(row)) for row in rows]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Generic[Row]):
    """One kind of thing with a key."""

    rows: QuerySet[Row]
    """All of them, with what the serializer reads beside each."""
    form: type[VersionedForm]
    serializer: type[BaseSerializer[Row]]
    add: Add[Row]
    edit: Edit[Row]
    remove: Remove[Row]
    words: Words
    list_template: str
    form_template: str = "resource_form.html"
    listed: Callable[[QuerySet[Row]], Mapping[str, Any]] = field(default=lines)
    """What the template of the list gets."""
    further_calls: tuple[type[GenericViewSet[Row]], ...] = ()
    """What the API does with one besides."""
    in_menu: bool = True
    endpoint_path: str = ""
    """What leads from a row to the key of its endpoint, where it has one."""

    @property
    def model(self) -> type[Row]:
        """Of what table it is."""
        return self.rows.model

    @property
    def noun(self) -> str:
        """What one is called, in sentences and in the names of its pages."""
        return str(self.model._meta.verbose_name)

    @property
    def plural(self) -> str:
        """What all of them are called, in sentences and in addresses."""
        return f"{self.noun}s"

    @property
    def with_article(self) -> str:
        """Like `an issuer`."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"
