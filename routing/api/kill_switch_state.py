"""REST of the kill switch."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import endpoints_of, request_actor
from controlplane.api.fields import StrictSerializer
from controlplane.api.idempotency import Idempotent
from controlplane.api.permissions import RightPermission
from controlplane.api.schema import BRAKE_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS
from controlplane.models import Right
from routing.api.confirmation import ConfirmationSerializer
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.kill_switch.stops import open_stops
from routing.models import Endpoint, Stop
from routing.publishing.confirmation import await_edges
from routing.publishing.require_told import require_told


class StopSerializer(serializers.ModelSerializer[Stop]):
    """Where the kill switch is on, since when, by whom and why; without an endpoint it is on for all."""

    endpoint = serializers.SlugRelatedField[Any](slug_field="key", read_only=True, allow_null=True)

    class Meta:
        model = Stop
        fields = ("endpoint", "since", "by", "reason")


class KillSwitchSerializer(serializers.Serializer[object]):
    """Where the kill switch is on: for all endpoints at once, and for single ones."""

    everywhere = StopSerializer(allow_null=True)
    endpoints = StopSerializer(many=True)


class TurnedSerializer(KillSwitchSerializer):
    """The same after it was turned, and which edges have confirmed that."""

    edges = ConfirmationSerializer()


class TurnSerializer(StrictSerializer):
    """Turn the kill switch on or off, for one endpoint or, without one, for all."""

    on = serializers.BooleanField()
    reason = serializers.CharField(max_length=10_000, help_text="Stays in the audit trail.")
    endpoint = serializers.SlugRelatedField(slug_field="key", queryset=Endpoint.objects.all(), required=False)


class KillSwitchPermission(RightPermission):
    """Turning it on is a halt of all, and turning it off a start."""

    writing = Right.HALT

    def needed(self, request: Request) -> Right:
        """By what is sent."""
        turned_off = isinstance(request.data, dict) and request.data.get("on") is False
        return Right.START if request.method == "POST" and turned_off else super().needed(request)


class KillSwitchView(Idempotent):
    """The kill switch: every user gets the endpoints' own backends while it is on."""

    permission_classes = (KillSwitchPermission,)
    asks_for_endpoint = True

    @extend_schema(description="Where the kill switch is on.", responses={200: KillSwitchSerializer, **READ_PROBLEMS})
    def get(self, request: Request) -> Response:
        """Where it is on."""
        return Response(KillSwitchSerializer(_state(request)).data)

    @extend_schema(
        description="Turn the kill switch on or off for one endpoint or, without one, for all. Experiments keep their "
        "state and their users' buckets, and gather nothing while it is on. Turning it to where it is changes nothing.",
        request=TurnSerializer,
        responses={200: TurnedSerializer, **WRITE_PROBLEMS, **BRAKE_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Turn it."""
        sent = TurnSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        endpoint, reason = sent.validated_data.get("endpoint"), sent.validated_data["reason"]
        if sent.validated_data["on"]:
            stop_experiments(endpoint, actor=request_actor(request), reason=reason)
            require_told()
        else:
            resume_experiments(endpoint, actor=request_actor(request), reason=reason)
        return Response(TurnedSerializer({**_state(request), "edges": await_edges()}).data)


def _state(request: Request) -> dict[str, Any]:
    """Where it is on; of endpoints those that the token is limited to."""
    stops, limits = open_stops(), endpoints_of(request)
    seen = [stop for stop in stops.by_endpoint.values() if limits is None or stop.scope in limits]
    return {"everywhere": stops.everywhere, "endpoints": seen}
