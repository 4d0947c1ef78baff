"""REST import of outcomes from files."""

from collections.abc import Mapping
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.idempotency import Idempotent
from controlplane.api.parsing import at_most
from controlplane.api.permissions import RightPermission
from controlplane.api.schema import READ_PROBLEMS, WRITE_PROBLEMS, problem
from controlplane.models import Right
from controlplane.problems.request_limits import LARGEST_BODY
from routing.importing.files import LARGEST_FILE
from routing.importing.receive import LONGEST_NAME, receive_part, register_import
from routing.models import EventImport


class PartParser(BaseParser):
    """Bytes as they are, whatever they are called."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The bytes. Raises `TooLarge`."""
        return at_most(LARGEST_BODY, stream)


class ImportPermission(RightPermission):
    """Who may send outcomes may follow the import of them too."""

    writing = Right.EVENTS

    def needed(self, request: Request) -> Right:
        """A list is for those who look; one import, for those who know its key."""
        follows = request_actor(request).may(Right.EVENTS) and _names_one(request)
        return Right.EVENTS if follows else super().needed(request)


def _names_one(request: Request) -> bool:
    return "key" in (request.parser_context or {}).get("kwargs", {})


class NewImportSerializer(serializers.Serializer[object]):
    """A file that is to come."""

    name = serializers.CharField(max_length=LONGEST_NAME, help_text="Ends in .csv, .jsonl, .ndjson or .parquet.")
    size = serializers.IntegerField(min_value=1, max_value=LARGEST_FILE, help_text="Bytes.")


class RowProblemSerializer(serializers.Serializer[object]):
    """A row that was refused."""

    line = serializers.IntegerField(help_text="Its line, counted from 1; of Parquet its row.")
    field = serializers.CharField()
    message = serializers.CharField()


class PlaceSerializer(serializers.Serializer[object]):
    """Where a part begins."""

    offset = serializers.IntegerField(min_value=0, max_value=LARGEST_FILE)


class EventImportSerializer(serializers.ModelSerializer[EventImport]):
    """How far an import is, and what became of its rows."""

    problems = RowProblemSerializer(many=True, read_only=True, help_text="Of the first 1000 rows that were refused.")

    class Meta:
        model = EventImport
        fields = (
            "key", "name", "kind", "size", "received", "state", "rows", "reached", "accepted", "duplicates", "refused",
            "problems", "failure", "actor", "created_at", "changed_at",
        )  # fmt: skip
        read_only_fields = fields


class EventImportViewSet(
    Idempotent, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[EventImport]
):
    """Imports of outcomes from files."""

    queryset = EventImport.objects.all()
    serializer_class = EventImportSerializer
    permission_classes = (ImportPermission,)
    lookup_field = "key"

    @extend_schema(
        description="All imports, the newest first.", responses={200: EventImportSerializer, **READ_PROBLEMS}
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All imports."""
        return super().list(request, *args, **kwargs)

    @extend_schema(description="How far an import is.", responses={200: EventImportSerializer, **READ_PROBLEMS})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One import."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        description="Begin to import a file of outcomes; its bytes come next, in parts.",
        request=NewImportSerializer,
        responses={201: EventImportSerializer, **WRITE_PROBLEMS},
    )
    def create(self, request: Request) -> Response:
        """Register a file."""
        sent = NewImportSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        found = register_import(**sent.validated_data, actor=request_actor(request))
        return Response(EventImportSerializer(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        description="The next part of the file, of 2.5 MiB at most. With the last one the import begins.",
        parameters=[OpenApiParameter("offset", int, required=True, description="Bytes of the file before this part.")],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={
            200: EventImportSerializer,
            **WRITE_PROBLEMS,
            409: problem("The file goes on at another place, which is told."),
            413: problem("The part is too large."),
            503: problem("The disk is full."),
        },
    )
    @action(detail=True, methods=["put"], parser_classes=[PartParser])
    def content(self, request: Request, key: str) -> Response:
        """Take a part."""
        place = PlaceSerializer(data=request.query_params)
        place.is_valid(raise_exception=True)
        sent: object = request.data
        part = sent if isinstance(sent, bytes) else b""
        found = receive_part(self.get_object(), place.validated_data["offset"], part, actor=request_actor(request))
        return Response(EventImportSerializer(found).data)
