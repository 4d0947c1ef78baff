"""REST of routing tables."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from controlplane.api.schema import READ_PROBLEMS
from routing.models import RoutingTable
from routing.publishing.newest_table import latest_table


class RoutingTableSerializer(serializers.ModelSerializer[RoutingTable]):
    """A published table without its content."""

    class Meta:
        model = RoutingTable
        fields = ("version", "digest", "cause", "created_at")


class RoutingTableContentSerializer(serializers.ModelSerializer[RoutingTable]):
    """A published table."""

    content = serializers.SerializerMethodField()

    class Meta:
        model = RoutingTable
        fields = ("version", "digest", "cause", "created_at", "content")

    def get_content(self, table: RoutingTable) -> dict[str, Any]:
        """The table as edges read it."""
        content: dict[str, Any] = json.loads(table.content)
        return content


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
