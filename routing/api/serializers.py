"""Backends, endpoints, edges and routing tables as JSON."""

import json
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from controlplane.api.fields import LegibleModelSerializer
from routing.catalogue.served import ServedSerializer
from routing.edges.reported import SILENT_AFTER
from routing.models import Backend, Edge, Endpoint, Issuer, Layer, RoutingTable


class EndpointSerializer(ServedSerializer[Endpoint]):
    """A public name and the backend behind it."""

    backend = serializers.SlugRelatedField(slug_field="key", queryset=Backend.objects.all())
    standby = serializers.SlugRelatedField(
        slug_field="key", queryset=Backend.objects.all(), allow_null=True, required=False
    )

    layer = serializers.SlugRelatedField(
        slug_field="key",
        queryset=Layer.objects.all(),
        allow_null=True,
        required=False,
        help_text="The layer that the endpoint shares with others; without one it gets its own.",
    )

    issuer = serializers.SlugRelatedField(
        slug_field="key", queryset=Issuer.objects.all(), allow_null=True, required=False
    )

    class Meta:
        model = Endpoint
        fields = (
            "key",
            "name",
            "path_prefix",
            "unit_source",
            "unit_name",
            "layer",
            "backend",
            "headers",
            "query",
            "standby",
            "standby_headers",
            "standby_query",
            "rules",
            "timeout_seconds",
            "anonymous",
            "hosts",
            "methods",
            "conditions",
            "model_names",
            "rewrite",
            "first_byte_seconds",
            "idle_seconds",
            "retries",
            "body_bytes",
            "entrance",
            "issuer",
            "rate_limits",
            "tiers",
            "shadows",
            "created_at",
            "broken",
        )
        read_only_fields = ("created_at",)


class EndpointTrafficSerializer(serializers.Serializer[object]):
    """What came to an endpoint lately, by how it ended, and what of it has no unit, and why."""

    since = serializers.DateTimeField()
    requests = serializers.IntegerField()
    results = serializers.DictField(child=serializers.IntegerField(), help_text="By how they ended.")
    failures = serializers.DictField(
        child=serializers.IntegerField(), help_text="Those that failed or are unknown, by cause."
    )
    share_without_unit = serializers.FloatField(help_text="From 0 to 1; what has no unit is in no experiment.")
    without_unit = serializers.DictField(child=serializers.IntegerField(), help_text="By why they have none.")
    unreadable = serializers.DictField(
        child=serializers.IntegerField(), help_text="Answers that told a number which is none, by its name."
    )


class SwitchSerializer(serializers.Serializer[object]):
    """A switch of an endpoint to its standby."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")
    to = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Only when this backend is the standby."
    )
    forced = serializers.BooleanField(required=False, default=False, help_text="Also while experiments run.")


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
