"""REST intake of outcomes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import WRITE_PROBLEMS, problem
from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis
from routing.intake.outcomes import OutcomeEvent, accept, parse_events


class OutcomeBatch(BaseModel):
    """Up to 1000 outcomes."""

    events: list[OutcomeEvent]


class ReceiptSerializer(serializers.Serializer[object]):
    """How many events are new, and how many were known by their id."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()


class EventsView(APIView):
    """Outcomes: what happened after a request."""

    @extend_schema(
        description="Record outcomes of users or requests. All are taken or none; an id that is known counts once.",
        request=OutcomeBatch,
        responses={202: ReceiptSerializer, **WRITE_PROBLEMS, 503: problem("Redis is away; send them again.")},
    )
    def post(self, request: Request) -> Response:
        """Accept a batch."""
        events = parse_events(_events(request.data))
        receipt = accept(get_redis(), events, bytes.fromhex(get_environment().unit_key.get_secret_value()))
        body = {"accepted": receipt.accepted, "duplicates": receipt.duplicates}
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _events(data: object) -> Any:
    """The list in the body. Raises `ValidationError` when the body has another shape."""
    if not isinstance(data, dict) or set(data) != {"events"}:
        raise exceptions.ValidationError({"events": "Send an object with one field, the list `events`."})
    return data["events"]
