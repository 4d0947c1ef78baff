"""REST of alerts."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS
from routing.alerts.current import alerts


class AlertSerializer(serializers.Serializer[object]):
    """What is wrong, since when, and what to do next."""

    code = serializers.CharField()
    edge = serializers.CharField(help_text="The edge that it is about; empty when it is about none.")
    since = serializers.DateTimeField()
    detail = serializers.CharField()
    next_step = serializers.CharField()


class AlertsView(APIView):
    """What is wrong now."""

    @extend_schema(
        description="All that is wrong now with edges, publishing and brakes, oldest first; an empty "
        "list when nothing is.",
        responses={200: AlertSerializer(many=True), **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """All alerts."""
        return Response(AlertSerializer(alerts(timezone.now()), many=True).data)
