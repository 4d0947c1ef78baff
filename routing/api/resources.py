"""REST views of routing: each parses, calls an action and answers."""

from typing import Any, Generic, TypeVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from controlplane.api.schema import CONDITIONAL_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS, problem
from controlplane.settings import get_environment
from routing.api.serializers import (
    EdgeSerializer,
    EndpointSerializer,
    EndpointTrafficSerializer,
    RoutingTableContentSerializer,
    RoutingTableSerializer,
    SwitchSerializer,
)
from routing.edges.retire_edge import retire_edge
from routing.lake.endpoint_traffic import LATELY, endpoint_traffic
from routing.models import Backend, Edge, Endpoint, RoutingTable
from routing.publishing.newest_table import latest_table
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.switch import switch

Thing = TypeVar("Thing", Backend, Endpoint)


class _ThingViewSet(Tagged[Thing], viewsets.ModelViewSet[Thing], Generic[Thing]):
    """Backends, endpoints and layers are written through the same three actions."""

    lookup_field = "key"
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    def perform_create(self, serializer: BaseSerializer[Thing]) -> None:
        """Register what was sent."""
        thing = self.get_queryset().model(**serializer.validated_data)
        register(thing, actor=request_actor(self.request))
        serializer.instance = self.get_queryset().get(pk=thing.pk)

    def perform_update(self, serializer: BaseSerializer[Thing]) -> None:
        """Edit the fields that were sent."""
        thing = self.get_object()
        self.refuse_outdated(thing)
        changes = serializer.validated_data
        edit(thing, changes, actor=request_actor(self.request), version=self.version_of(thing))
        serializer.instance = self.get_object()

    def perform_destroy(self, instance: Thing) -> None:
        """Remove it when nothing uses it."""
        self.refuse_outdated(instance)
        remove(instance, actor=request_actor(self.request), version=self.version_of(instance))


def _documented(noun: str, serializer: type[BaseSerializer[Any]]) -> Any:
    """The OpenAPI text of the five operations on one kind of thing."""
    return extend_schema_view(
        list=extend_schema(description=f"All {noun}s.", responses={200: serializer(many=True), **READ_PROBLEMS}),
        retrieve=extend_schema(
            description=f"One {noun}.",
            parameters=[IF_NONE_MATCH, ETAG],
            responses={200: serializer, **NOT_MODIFIED, **READ_PROBLEMS},
        ),
        create=extend_schema(
            description=f"Register a {noun}.", parameters=[ETAG], responses={201: serializer, **WRITE_PROBLEMS}
        ),
        partial_update=extend_schema(
            description=f"Change the fields of a {noun} that are sent, and no others.",
            parameters=[IF_MATCH, ETAG],
            responses={200: serializer, **CONDITIONAL_PROBLEMS},
        ),
        destroy=extend_schema(
            description=f"Remove a {noun} that nothing uses.",
            parameters=[IF_MATCH],
            responses={204: None, **CONDITIONAL_PROBLEMS},
        ),
    )


@_documented("endpoint", EndpointSerializer)
class EndpointViewSet(_ThingViewSet[Endpoint]):
    """Public names and the backends behind them."""

    queryset = Endpoint.objects.select_related("backend", "standby", "layer", "issuer").prefetch_related("splits")
    serializer_class = EndpointSerializer

    @extend_schema(
        description="Swap the backend and the standby, each with its headers and query parameters, for all users at "
        "once; the same again goes back.",
        request=SwitchSerializer,
        parameters=[IF_MATCH, ETAG],
        responses={200: EndpointSerializer, **CONDITIONAL_PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def switch(self, request: Request, key: str) -> Response:
        """Swap the backend and the standby."""
        endpoint = self.get_object()
        sent = SwitchSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        self.refuse_outdated(endpoint)
        version = self.version_of(endpoint)
        switch(endpoint, actor=request_actor(request), version=version, **sent.validated_data)
        return Response(EndpointSerializer(self.get_object()).data)

    @extend_schema(
        description="The requests of the last hour: how they ended, and how many have no unit, and why.",
        responses={200: EndpointTrafficSerializer, **READ_PROBLEMS, 503: problem("The lake cannot be read.")},
    )
    @action(detail=True)
    def traffic(self, request: Request, key: str) -> Response:
        """How requests ended lately."""
        found = endpoint_traffic(get_environment().lake_url, self.get_object().key, timezone.now() - LATELY)
        return Response(EndpointTrafficSerializer(found).data)


@extend_schema_view(
    list=extend_schema(
        description="All edges that have reported and were not retired since.",
        responses={200: EdgeSerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(description="One edge.", responses={200: EdgeSerializer, **READ_PROBLEMS}),
)
class EdgeViewSet(viewsets.ReadOnlyModelViewSet[Edge]):
    """Edges as they last reported."""

    queryset = Edge.objects.all()
    serializer_class = EdgeSerializer
    lookup_field = "name"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        description="Forget an edge that is gone for good: it leaves the list and the alerts. One that reports cannot "
        "be retired, and one that reports again is back.",
        request=None,
        responses={204: None, **WRITE_PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, name: str) -> Response:
        """Forget it."""
        retire_edge(self.get_object(), actor=request_actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(
        description="All published routing tables, newest first.",
        responses={200: RoutingTableSerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(
        description="One published routing table with its content.",
        responses={200: RoutingTableContentSerializer, **READ_PROBLEMS},
    ),
)
class RoutingTableViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[RoutingTable]):
    """Published routing tables."""

    queryset = RoutingTable.objects.all()
    lookup_field = "version"
    lookup_value_regex = "[0-9]+"

    def get_serializer_class(self) -> type[BaseSerializer[RoutingTable]]:
        """The list leaves the content out."""
        return RoutingTableSerializer if self.action == "list" else RoutingTableContentSerializer

    @extend_schema(
        description="The newest published routing table.",
        responses={200: RoutingTableContentSerializer, **READ_PROBLEMS},
    )
    @action(detail=False)
    def current(self, request: Request) -> Response:
        """What edges are given now."""
        table = latest_table()
        if table is None:
            raise NotFound("Nothing has been published yet.")
        return Response(RoutingTableContentSerializer(table).data, status=status.HTTP_200_OK)
