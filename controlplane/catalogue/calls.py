"""The API of a resource: list, read, add, change, remove, and whatever further calls it has."""

from typing import Any, ClassVar, Generic, TypeVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.serializers import BaseSerializer

from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from controlplane.api.idempotency import Idempotent
from controlplane.api.schema import CONDITIONAL_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS
from controlplane.catalogue.resource import Resource
from controlplane.storage.keyed import Keyed

Row = TypeVar("Row", bound=Keyed)
Calls = type[viewsets.ModelViewSet[Any]]


class _ResourceCalls(Idempotent, Tagged[Row], viewsets.ModelViewSet[Row], Generic[Row]):
    """Each call parses, writes as the page does, and answers."""

    resource: ClassVar[Resource[Any]]
    lookup_field = "key"
    search_fields = ("key", "name")
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    def perform_create(self, serializer: BaseSerializer[Row]) -> None:
        """Add what was sent."""
        row = self.resource.model(**serializer.validated_data)
        self.resource.add(row, actor=request_actor(self.request))
        serializer.instance = self.get_queryset().get(pk=row.pk)

    def perform_update(self, serializer: BaseSerializer[Row]) -> None:
        """Change the fields that were sent."""
        row = self.get_object()
        self.refuse_outdated(row)
        changes = serializer.validated_data
        self.resource.edit(row, changes, actor=request_actor(self.request), version=self.version_of(row))
        serializer.instance = self.get_object()

    def perform_destroy(self, instance: Row) -> None:
        """Remove it when nothing uses it."""
        self.refuse_outdated(instance)
        self.resource.remove(instance, actor=request_actor(self.request), version=self.version_of(instance))


def calls(resource: Resource[Any]) -> Calls:
    """The viewset of a resource, documented."""
    parts = {
        "__doc__": resource.model.__doc__,
        "resource": resource,
        "queryset": resource.rows,
        "serializer_class": resource.serializer,
        "endpoint_path": resource.endpoint_path,
    }
    made: Calls = type(f"{resource.model.__name__}Calls", (*resource.further_calls, _ResourceCalls), parts)
    return _documented(resource, made)


def _documented(resource: Resource[Any], made: Calls) -> Calls:
    """With the OpenAPI text of the five operations on one kind of thing."""
    one, serializer, words = resource.with_article, resource.serializer, resource.words
    describe = extend_schema_view(
        list=extend_schema(
            description=f"All {resource.plural}.", responses={200: serializer(many=True), **READ_PROBLEMS}
        ),
        retrieve=extend_schema(
            description=f"One {resource.noun}.",
            parameters=[IF_NONE_MATCH, ETAG],
            responses={200: serializer, **NOT_MODIFIED, **READ_PROBLEMS},
        ),
        create=extend_schema(
            description=f"{words.verb.capitalize()} {one}.",
            parameters=[ETAG],
            responses={201: serializer, **WRITE_PROBLEMS},
        ),
        partial_update=extend_schema(
            description=f"Change the fields of {one} that are sent, and no others.",
            parameters=[IF_MATCH, ETAG],
            responses={200: serializer, **CONDITIONAL_PROBLEMS},
        ),
        destroy=extend_schema(
            description=f"Remove {one} {words.unused}.",
            parameters=[IF_MATCH],
            responses={204: None, **CONDITIONAL_PROBLEMS},
        ),
    )
    documented: Calls = describe(made)
    return documented
