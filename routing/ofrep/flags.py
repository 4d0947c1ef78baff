"""The two paths of the protocol."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.authentication import endpoints_of, request_actor
from controlplane.api.etags import entity_tag, is_known
from controlplane.api.permissions import needs
from controlplane.audit.actors import Actor
from controlplane.models import Right
from controlplane.problems.errors import InvalidInput
from controlplane.problems.strict_json import UNREADABLE
from routing.ofrep.answers import FLAG_PROBLEMS, NO_FLAG, Flag, FlagQuestion, Flags
from routing.ofrep.context import Context, read_context
from routing.ofrep.evaluation import Evaluation, evaluate, evaluate_all
from routing.ofrep.exposures import record
from routing.ofrep.flag_errors import FlagError, error_content
from routing.ofrep.flag_table import current_table
from routing.ofrep.forcing import refuse_forcing
from routing.table import Table


class _EvaluationView(APIView):
    """Errors of these paths are problems that have the members of the protocol too, whatever raises them."""

    permission_classes = (needs(Right.FLAGS),)
    asks_for_endpoint = True

    def handle_exception(self, exc: Exception) -> Response:
        """A problem that has the protocol's form too, and the type of content that the protocol has."""
        answer = super().handle_exception(exc)
        details = f"{answer.data['detail']} {answer.data['next_step']}"
        answer.data |= error_content(_protocol_code(exc), details, self.kwargs.get("key"))
        answer.content_type = "application/json"
        return answer


def _protocol_code(error: Exception) -> str:
    if isinstance(error, FlagError):
        return error.protocol_code
    if not isinstance(error, InvalidInput):
        return "GENERAL"
    return "PARSE_ERROR" if error.code == UNREADABLE else "INVALID_CONTEXT"


class FlagView(_EvaluationView):
    """One flag."""

    @extend_schema(
        operation_id="evaluate_flag",
        description="Which variant of a running experiment a user is in, as the edge would answer (OFREP).",
        request=FlagQuestion,
        responses={200: Flag, **FLAG_PROBLEMS, **NO_FLAG},
    )
    def post(self, request: Request, key: str) -> Response:
        """Evaluate a flag for the unit of the context."""
        context, table = _allowed(request, read_context(request.data)), current_table()
        found = evaluate(table, key, context.unit, context.headers)
        if found is None:
            raise FlagError(404, "FLAG_NOT_FOUND", f"No experiment {key} runs.")
        if not _seen(request, [found]):
            request_actor(request).require_endpoint(found.endpoint)
        _refuse_beyond(request_actor(request), context, table, [found])
        [content] = _answered(context, [found])
        return Response(content)


class FlagsView(_EvaluationView):
    """All flags."""

    @extend_schema(
        operation_id="evaluate_flags",
        description="All flags for a user (OFREP); 304 while the answer is the one whose ETag is sent along.",
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        request=FlagQuestion,
        responses={200: Flags, 304: None, **FLAG_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Evaluate all flags for the unit of the context."""
        context, table = _allowed(request, read_context(request.data)), current_table()
        seen = _seen(request, evaluate_all(table, context.unit, context.headers))
        _refuse_beyond(request_actor(request), context, table, seen)
        content = {"flags": _answered(context, seen)}
        tag = entity_tag(content)
        if is_known(request.headers.get("If-None-Match", ""), tag):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        return Response(content, headers={"ETag": tag})


def _allowed(request: Request, context: Context) -> Context:
    """The context, from who may have exposures recorded if it asks for that. Raises `NotAllowed`."""
    if context.record_exposure:
        request_actor(request).require_anywhere(Right.EVENTS)
    return context


def _seen(request: Request, found: list[Evaluation]) -> list[Evaluation]:
    """Those of the endpoints that the token is limited to; people look at all."""
    limits = endpoints_of(request)
    return [each for each in found if limits is None or each.endpoint in limits]


def _refuse_beyond(actor: Actor, context: Context, table: Table, found: list[Evaluation]) -> None:
    """Refuse to force or to record exposures at an endpoint where whoever asks may not. Raises `NotAllowed`."""
    refuse_forcing(actor, context, table, found)
    if context.record_exposure:
        for endpoint in sorted({each.endpoint for each in found}):
            actor.require(Right.EVENTS, endpoint=endpoint)


def _answered(context: Context, found: list[Evaluation]) -> list[dict[str, Any]]:
    """The evaluations as they are sent; exposures are recorded where that is asked for."""
    contents = [evaluation.content() for evaluation in found]
    if context.record_exposure:
        queued = record(context.unit, found)
        for content, evaluation in zip(contents, found, strict=True):
            content["metadata"]["exposureRecorded"] = queued and evaluation.variant is not None
    return contents
