"""Files of specs over HTTP: what one would change, applying it, and what there is as one."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.authentication import request_actor
from controlplane.api.idempotency import Idempotent
from controlplane.api.parsing import at_most
from controlplane.api.permissions import ReadPermission
from controlplane.api.schema import READ_PROBLEMS, WRITE_PROBLEMS, problem
from controlplane.audit.actors import Actor
from controlplane.models import Right
from controlplane.problems.errors import Unavailable
from controlplane.settings import get_environment
from experiments.specs.apply import Change, apply, plan
from experiments.specs.export import exported, to_yaml
from experiments.specs.reading import LARGEST_FILE
from experiments.specs.refresh import refreshed
from experiments.specs.schema import file_schema
from routing.lake.endpoint_traffic import LATELY, endpoint_traffic

YAML_TYPE = "application/yaml"
REFUSED = {**WRITE_PROBLEMS, 413: problem("The file is too large.")}
EXAMPLE = """# What answers the chat.
backends:
  - key: chat-v2
    name: Chat 2
    addresses: [http://10.0.0.5:8000]
"""


class FileParser(BaseParser):
    """The bytes of a file, whatever it is called: YAML takes JSON too."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """All of it. Raises `TooLarge`."""
        return at_most(LARGEST_FILE, stream)


class YAMLRenderer(BaseRenderer):
    """Text as it is, and all else as YAML."""

    media_type = YAML_TYPE
    format = "yaml"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        """The file."""
        return data if isinstance(data, str) else to_yaml(data)


class DifferenceSerializer(serializers.Serializer[object]):
    """A field that differs."""

    field = serializers.CharField()
    before = serializers.JSONField(help_text="What it is; null where there is nothing yet.")
    after = serializers.JSONField(help_text="What it would be.")


class TouchedExperimentSerializer(serializers.Serializer[object]):
    """An experiment that has not ended, and where it stands."""

    key = serializers.CharField()
    state = serializers.CharField()


class ChangeSerializer(serializers.Serializer[object]):
    """What becomes of one thing, and whom that touches."""

    kind = serializers.CharField()
    key = serializers.CharField()
    action = serializers.ChoiceField(choices=("create", "change", "none"))
    line = serializers.IntegerField(help_text="Where the file describes it.")
    differences = DifferenceSerializer(many=True)
    endpoints = serializers.ListField(child=serializers.CharField(), help_text="Whose users it reaches.")
    experiments = TouchedExperimentSerializer(many=True, help_text="Drafts, and what runs or is paused.")
    requests = serializers.IntegerField(
        allow_null=True, help_text="That came to these endpoints in the last hour; null where nobody can tell."
    )


class ChangesSerializer(serializers.Serializer[object]):
    """What a file changes, thing by thing."""

    changed = serializers.BooleanField(help_text="Whether anything is other than the file says.")
    may_apply = serializers.BooleanField(help_text="Whether the caller has the right `plan`, which applying needs.")
    changes = ChangeSerializer(many=True)


FILE = {(YAML_TYPE): OpenApiTypes.STR, "application/json": OpenApiTypes.OBJECT}
EXAMPLES = [OpenApiExample("A backend", EXAMPLE, media_type=YAML_TYPE, request_only=True)]


class SpecPlanView(APIView):
    """What a file would change."""

    permission_classes = (ReadPermission,)
    parser_classes = (FileParser,)
    asks_for_endpoint = True

    @extend_schema(
        description="What applying a file would change, and whom that touches. It writes nothing: what could not be "
        "applied is refused as it would be then, with the line and column of each problem.",
        request=FILE,
        examples=EXAMPLES,
        responses={200: ChangesSerializer, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Plan."""
        actor = request_actor(request)
        return _answer(plan(_sent(request), actor=actor), actor)


class SpecApplyView(Idempotent):
    """Bringing what there is in line with a file."""

    parser_classes = (FileParser,)
    asks_for_endpoint = True

    @extend_schema(
        description="Add what a file describes and change what differs, all of it or nothing. What it leaves out stays "
        "as it is, and nothing is removed. The same file again changes nothing.",
        request=FILE,
        examples=EXAMPLES,
        responses={200: ChangesSerializer, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Apply."""
        actor = request_actor(request)
        return _answer(apply(_sent(request), actor=actor), actor)


class SpecExportView(APIView):
    """What there is, as a file."""

    permission_classes = (ReadPermission,)
    parser_classes = (FileParser,)
    renderer_classes = (YAMLRenderer, JSONRenderer)

    @extend_schema(
        description="What there is as a file that can be applied, every field of it, as YAML or JSON.",
        parameters=[
            OpenApiParameter("only", str, many=True, description="Kinds like `metrics`, or `experiments/canary`.")
        ],
        responses={(200, YAML_TYPE): OpenApiTypes.STR, (200, "application/json"): OpenApiTypes.OBJECT, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Export."""
        return Response(exported(request.query_params.getlist("only")))

    @extend_schema(
        description="A file brought up to what there is. Its comments, its order and what it leaves out stay. It "
        "writes nothing.",
        request=FILE,
        examples=EXAMPLES,
        responses={(200, YAML_TYPE): OpenApiTypes.STR, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Bring a file up to date."""
        return Response(refreshed(_sent(request)), content_type=f"{YAML_TYPE}; charset=utf-8")


class SpecSchemaView(APIView):
    """What editors check files by."""

    asks_for_endpoint = True

    @extend_schema(
        description="The JSON Schema of a document of a file, for editors.",
        responses={200: OpenApiTypes.OBJECT, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """The schema."""
        return Response(file_schema())


def _sent(request: Request) -> bytes:
    data: object = request.data
    return data if isinstance(data, bytes) else b""


def _answer(changes: tuple[Change, ...], actor: Actor) -> Response:
    told = {
        "changed": any(change.action != "none" for change in changes),
        "may_apply": actor.may(Right.PLAN),
        "changes": list(map(_told, changes)),
    }
    return Response(ChangesSerializer(told).data)


def _told(change: Change) -> dict[str, Any]:
    endpoints = change.touches.endpoints
    return {
        **{name: getattr(change, name) for name in ("kind", "key", "action", "line")},
        "differences": list(map(asdict, change.differences)),
        "endpoints": endpoints,
        "experiments": [{"key": key, "state": state} for key, state in change.touches.experiments],
        "requests": None if change.action == "none" else _requests(endpoints),
    }


def _requests(endpoints: tuple[str, ...]) -> int | None:
    """Of the last hour. A plan without it is better than none."""
    since = timezone.now() - LATELY
    try:
        return sum(endpoint_traffic(get_environment().lake_url, key, since).requests for key in endpoints)
    except Unavailable:
        return None
