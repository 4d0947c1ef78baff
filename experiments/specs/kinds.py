"""What a file may describe: each kind is found, shown, checked and written as its calls in the API do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from typing import Any, Protocol, Self

from django.db.models import Model, QuerySet
from rest_framework.fields import Field
from rest_framework.relations import SlugRelatedField
from rest_framework.serializers import ModelSerializer

from controlplane.audit.actors import Actor
from controlplane.catalogue.everything import resources
from controlplane.catalogue.resource import Resource
from experiments.actions.create import create
from experiments.actions.edit_draft import edit_draft
from experiments.models import Experiment
from experiments.plan.as_written import as_written
from experiments.plan.spec import read_spec
from experiments.presenters.reads import experiments

Content = dict[str, Any]


class Kind(Protocol):
    """One kind of thing with a key, as files describe it."""

    @property
    def noun(self) -> str:
        """What one is called."""

    @property
    def plural(self) -> str:
        """What the list of them in a file is called."""

    @property
    def rows(self) -> QuerySet[Any]:
        """All there are."""

    def shown(self, row: Any) -> Content:
        """All that a file may say of it, as it is now."""

    def meant(self, row: Any | None, content: Content) -> Content:
        """What it would be, all of it, with this content. Raises `InvalidInput` and `ValidationError`."""

    def write(self, row: Any | None, content: Content, actor: Actor) -> None:
        """Add it where there is none, or change what the content says. Raises as the calls of the API do."""

    def keys_of_others(self, content: Content) -> set[str]:
        """Which of the same kind it names."""


@dataclass(frozen=True, slots=True, eq=False)
class ResourceKind:
    """What people register, change and remove."""

    resource: Resource[Any]
    fields: Mapping[str, Field[Any, Any, Any, Any]]
    """Those that can be written."""

    @classmethod
    def of(cls, resource: Resource[Any]) -> Self:
        """With the fields of its serializer."""
        serializer = resource.serializer()
        assert isinstance(serializer, ModelSerializer)  # noqa: S101 - what all resources have
        return cls(resource, {name: field for name, field in serializer.fields.items() if not field.read_only})

    @property
    def references(self) -> dict[str, type[Model]]:
        """The fields that name others, and of what table these are."""
        return {name: _referred(field) for name, field in self.fields.items() if isinstance(field, SlugRelatedField)}

    @property
    def noun(self) -> str:
        """What one is called."""
        return self.resource.noun

    @property
    def plural(self) -> str:
        """What the list of them in a file is called."""
        return self.resource.plural

    @property
    def rows(self) -> QuerySet[Any]:
        """All there are."""
        return self.resource.rows.all()

    def shown(self, row: Any) -> Content:
        """What can be written of it."""
        told = self.resource.serializer(row).data
        return {name: told[name] for name in self.fields}

    def meant(self, row: Any | None, content: Content) -> Content:
        """The row with the content in it, which nobody saves."""
        sent = self._checked(row, content)
        whole = self.resource.model() if row is None else self.resource.rows.get(pk=row.pk)
        for name, value in sent.items():
            setattr(whole, name, value)
        return self.shown(whole)

    def write(self, row: Any | None, content: Content, actor: Actor) -> None:
        """By the resource's own writes."""
        sent = self._checked(row, content)
        if row is None:
            self.resource.add(self.resource.model(**sent), actor=actor)
        else:
            self.resource.edit(row, sent, actor=actor)

    def keys_of_others(self, content: Content) -> set[str]:
        """Those that its references name."""
        own = [name for name, model in self.references.items() if model is self.resource.model]
        return {content[name] for name in own if isinstance(content.get(name), str)}

    def _checked(self, row: Any | None, content: Content) -> Content:
        serializer = self.resource.serializer(row, data=content, partial=row is not None)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def _referred(field: Any) -> type[Model]:
    model: type[Model] = field.queryset.model
    return model


@dataclass(frozen=True, slots=True)
class ExperimentKind:
    """Experiments: drafts, and what became of them."""

    noun: str = "experiment"
    plural: str = "experiments"

    @property
    def rows(self) -> QuerySet[Any]:
        """All there are."""
        return experiments()

    def shown(self, row: Experiment) -> Content:
        """As it was written down."""
        return as_written(row)

    def meant(self, row: Experiment | None, content: Content) -> Content:
        """With every default."""
        return read_spec({**(as_written(row) if row else {}), **content}).model_dump(mode="json")

    def write(self, row: Experiment | None, content: Content, actor: Actor) -> None:
        """Create a draft or change it; what it says already is no change, whatever became of it."""
        if row is None:
            create(read_spec(content), actor=actor)
        elif self.meant(row, content) != self.shown(row):
            edit_draft(row, content, actor=actor)

    def keys_of_others(self, content: Content) -> set[str]:
        """None."""
        return set()


@cache
def kinds() -> dict[str, Kind]:
    """By what a file calls them; what others name comes before these."""
    of_resources = {resource.model: ResourceKind.of(resource) for resource in resources()}
    needed = {model: sorted({*kind.references.values()} - {model}, key=str) for model, kind in of_resources.items()}
    in_order: list[Kind] = [of_resources[model] for model in TopologicalSorter(needed).static_order()]
    return {kind.plural: kind for kind in (*in_order, ExperimentKind())}
