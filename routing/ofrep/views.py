"""The two paths of the protocol."""

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.permissions import ReadPermission
from controlplane.errors import NotAllowed, SluiceError
from controlplane.settings import get_environment
from controlplane.storage import get_redis
from routing.events.outcomes import accept, parse_events
from routing.models import RoutingTable
from routing.ofrep.evaluation import Evaluation, evaluate, evaluate_all
from routing.table import Table, from_json
from routing.units import unit_hash

TARGETING_KEY = "targetingKey"
RECORD_EXPOSURE = "recordExposure"
LONGEST_UNIT = 1000

NO_TABLE = Table(0, (), ())


class FlagError(Exception):
    """An answer of the protocol that is an error."""

    def __init__(self, status_code: int, code: str, details: str, key: str = "") -> None:
        super().__init__(details)
        self.status = status_code
        self.content = {"errorCode": code, "errorDetails": details, **({"key": key} if key else {})}


class _EvaluationView(APIView):
    """Errors of these paths have the protocol's form, whatever raises them."""

    permission_classes = (ReadPermission,)

    def handle_exception(self, exc: Exception) -> Response:
        """The protocol's form of an error."""
        if isinstance(exc, FlagError):
            return Response(exc.content, status=exc.status)
        if isinstance(exc, ParseError):
            return Response({"errorCode": "PARSE_ERROR", "errorDetails": str(exc)}, status=exc.status_code)
        if isinstance(exc, NotAllowed):
            return Response({"errorDetails": exc.detail}, status=status.HTTP_403_FORBIDDEN)
        if isinstance(exc, SluiceError):
            return Response({"errorCode": "GENERAL", "errorDetails": f"{exc.detail} {exc.next_step}"}, status=500)
        if isinstance(exc, APIException):
            answer = super().handle_exception(exc)
            answer.data, answer.content_type = {"errorDetails": str(exc)}, "application/json"
            return answer
        raise exc


class FlagView(_EvaluationView):
    """One flag."""

    @extend_schema(exclude=True)
    def post(self, request: Request, key: str) -> Response:
        """Evaluate a flag for the unit of the context."""
        context = _context(request.data, key)
        found = evaluate(_current_table(), key, context[TARGETING_KEY], _headers(context))
        if found is None:
            raise FlagError(404, "FLAG_NOT_FOUND", f"No experiment {key} runs.", key)
        if context.get(RECORD_EXPOSURE) is True:
            _record(context[TARGETING_KEY], [found])
        return Response(found.content())


class FlagsView(_EvaluationView):
    """All flags."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """Evaluate all flags; the answer's ETag, sent back as If-None-Match, is answered 304 while nothing changed."""
        context = _context(request.data)
        found = evaluate_all(_current_table(), context[TARGETING_KEY], _headers(context))
        content = {"flags": [evaluation.content() for evaluation in found]}
        tag = f'"{sha256(json.dumps(content).encode()).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == tag:
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        if context.get(RECORD_EXPOSURE) is True:
            _record(context[TARGETING_KEY], found)
        return Response(content, headers={"ETag": tag})


def _current_table() -> Table:
    newest = RoutingTable.objects.order_by("-version").values_list("version", "digest").first()
    return NO_TABLE if newest is None else _table(*newest)


@lru_cache(2)
def _table(version: int, digest: str) -> Table:
    """A table of this version and digest never changes, so it is read once."""
    return from_json(RoutingTable.objects.get(version=version, digest=digest).content)


def _context(data: object, key: str = "") -> dict[str, Any]:
    context = data.get("context") if isinstance(data, dict) else None
    if not isinstance(context, dict):
        raise FlagError(400, "INVALID_CONTEXT", "Send an object with the object `context`.", key)
    unit = context.get(TARGETING_KEY)
    if unit is None or unit == "":
        raise FlagError(400, "TARGETING_KEY_MISSING", "Name the user in the context's `targetingKey`.", key)
    if not isinstance(unit, str) or len(unit) > LONGEST_UNIT:
        detail = f"`targetingKey` is a text of at most {LONGEST_UNIT} characters."
        raise FlagError(400, "INVALID_CONTEXT", detail, key)
    return context


def _headers(context: dict[str, Any]) -> dict[str, str]:
    """The context's texts stand for the headers of the request that the edge would see."""
    return {name.lower(): value for name, value in context.items() if isinstance(value, str)}


def _record(unit: str, found: list[Evaluation]) -> None:
    """Queue an exposure for each experiment that the unit is in, once a stage."""
    key = bytes.fromhex(get_environment().unit_key.get_secret_value())
    hashed = unit_hash(key, unit)
    exposures = [_exposure(unit, hashed, evaluation) for evaluation in found if evaluation.variant is not None]
    accept(get_redis(), parse_events(exposures), key)


def _exposure(unit: str, hashed: int, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": f"exposure {evaluation.key} {evaluation.metadata['stage']} {evaluation.variant} {hashed}",
        "name": "exposure",
        "unit": unit,
        "properties": {"experiment": evaluation.key, "variant": evaluation.variant},
    }
