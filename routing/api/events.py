"""REST intake of outcomes."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, Field
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.idempotency import Idempotent
from controlplane.api.parsing import BatchParser
from controlplane.api.permissions import needs
from controlplane.api.problems import field_problem
from controlplane.api.schema import WRITE_PROBLEMS, FieldProblemSerializer, problem
from controlplane.models import Right
from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis
from routing.intake.accept import accept, count_refused
from routing.intake.check import MOST_EVENTS, RefusedEvent, check_events
from routing.intake.erased import is_erased
from routing.intake.fates import Fate
from routing.intake.outcomes import OutcomeEvent

MOST_NAMED = 5
"""Of the problems of one event."""

PARTIAL = OpenApiParameter(
    "partial", bool, description="Take the events that are right, and name the others in `refused`."
)
CODING = OpenApiParameter("Content-Encoding", str, OpenApiParameter.HEADER, enum=["gzip"])


class OutcomeBatch(BaseModel):
    """Up to 10 000 outcomes."""

    events: list[OutcomeEvent] = Field(max_length=MOST_EVENTS)


class RefusedEventSerializer(serializers.Serializer[object]):
    """An event that was not taken."""

    index = serializers.IntegerField(help_text="Its place in the batch, counted from 0.")
    problems = FieldProblemSerializer(many=True, help_text=f"The first {MOST_NAMED}.")


class ReceiptSerializer(serializers.Serializer[object]):
    """How many events are new, were known by their id, or are of erased users; and which were refused."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    erased = serializers.IntegerField(help_text="Of users who were erased since; they are not taken.")
    refused = RefusedEventSerializer(many=True, help_text="Empty unless `partial` is asked for.")


class EventsView(Idempotent):
    """Outcomes: what happened after a request."""

    parser_classes = (BatchParser,)
    permission_classes = (needs(Right.EVENTS),)

    @extend_schema(
        description="Record outcomes of users or requests, once each by its id. `202` says that they are safe in Redis."
        " All are taken or none, unless `partial` is asked for. A batch may be sent as gzip, of 2.5 MiB at most, which"
        " hold 10 MiB at most.",
        parameters=[PARTIAL, CODING],
        request=OutcomeBatch,
        responses={
            202: ReceiptSerializer,
            **WRITE_PROBLEMS,
            413: problem("The batch is too large."),
            415: problem("The batch is neither plain nor gzip."),
            503: problem("Redis is away; send them again."),
        },
    )
    def post(self, request: Request) -> Response:
        """Accept a batch."""
        request_actor(request).require(Right.EVENTS)
        partial = _flag(request, "partial")
        checked = check_events(_events(request.data))
        refused = [each.fate for each in checked.refused]
        if refused and not partial:
            count_refused(get_redis(), refused)
        events = checked.events if partial else checked.require_all()
        unit_key = bytes.fromhex(get_environment().unit_key.get_secret_value())
        erased = is_erased(events, unit_key)
        others = [*refused, *(Fate.ERASED for each in erased if each)]
        kept = [event for event, gone in zip(events, erased, strict=True) if not gone]
        receipt = accept(get_redis(), kept, unit_key, refused=others)
        body = {
            "accepted": receipt.accepted,
            "duplicates": receipt.duplicates,
            "erased": len(events) - len(kept),
            "refused": [_named(each) for each in checked.refused],
        }
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _flag(request: Request, name: str) -> bool:
    """What a parameter that is true or false says; false where it is missing. Raises `ValidationError`."""
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise exceptions.ValidationError({name: "Send true or false."})
    return text == "true"


def _events(data: object) -> Any:
    """The list in the body. Raises `ValidationError` when the body has another shape."""
    if not isinstance(data, dict) or set(data) != {"events"}:
        raise exceptions.ValidationError({"events": "Send an object with one field, the list `events`."})
    return data["events"]


def _named(refused: RefusedEvent) -> dict[str, Any]:
    problems = refused.problems[:MOST_NAMED]
    return {"index": refused.index, "problems": [field_problem(each) for each in problems]}
