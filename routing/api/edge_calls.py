"""REST of edges."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.fields import LegibleModelSerializer
from controlplane.api.idempotency import Idempotent
from controlplane.api.schema import READ_PROBLEMS, WRITE_PROBLEMS
from routing.edges.reported import SILENT_AFTER
from routing.edges.retire_edge import retire_edge
from routing.models import Edge


class LossSerializer(serializers.Serializer[object]):
    """Requests that were answered and have no row; `rows` is null where nobody can tell how many, nor whose."""

    run = serializers.CharField(help_text="The run of Envoy that they were answered in.")
    backend = serializers.CharField()
    experiment = serializers.CharField()
    variant = serializers.CharField()
    rows = serializers.IntegerField(allow_null=True)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class EdgeSerializer(LegibleModelSerializer[Edge]):
    """An edge as it last reported; `silent` says that it has not done so lately."""

    losses = LossSerializer(many=True)
    silent = serializers.SerializerMethodField()

    class Meta:
        model = Edge
        fields = (
            "name",
            "zone",
            "labels",
            "applied_version",
            "applied_at",
            "seen_at",
            "healthy",
            "error",
            "unread",
            "cuts",
            "loads",
            "losses",
            "silent",
            "broken",
        )

    def get_silent(self, edge: Edge) -> bool:
        """Whether the last heartbeat is too old."""
        return timezone.now() - edge.seen_at > SILENT_AFTER


@extend_schema_view(
    list=extend_schema(
        description="All edges that have reported and were not retired since.",
        responses={200: EdgeSerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(description="One edge.", responses={200: EdgeSerializer, **READ_PROBLEMS}),
)
class EdgeViewSet(Idempotent, viewsets.ReadOnlyModelViewSet[Edge]):
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
