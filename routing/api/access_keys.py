"""REST of access keys."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from controlplane.api.fields import StrictSerializer
from controlplane.api.idempotency import Idempotent
from controlplane.api.permissions import needs
from controlplane.api.schema import BRAKE_PROBLEMS, CONDITIONAL_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS
from controlplane.models import Right
from controlplane.storage.keyed import KEY_VALIDATOR
from routing.models import AccessKey, Endpoint
from routing.publishing.require_told import require_told
from routing.resources.issue_key import issue_key, revoke_key


class AccessKeySerializer(serializers.ModelSerializer[AccessKey]):
    """A key as its hash's owner may see it."""

    endpoints = serializers.SlugRelatedField[Endpoint](slug_field="key", many=True, read_only=True)

    class Meta:
        model = AccessKey
        fields = (
            "id",
            "client",
            "prefix",
            "endpoints",
            "for_tests",
            "created_by",
            "created_at",
            "expires_at",
            "revoked_at",
        )


class NewKeySerializer(StrictSerializer):
    """Whom a key is for, and what it opens."""

    client = serializers.CharField(max_length=63, validators=[KEY_VALIDATOR], help_text="Name of the client in logs.")
    endpoints = serializers.SlugRelatedField[Endpoint](
        slug_field="key",
        many=True,
        queryset=Endpoint.objects.all(),
        required=False,
        help_text="Keys of the endpoints that it is for; none means all that ask for keys, or that may be tested.",
    )
    for_tests = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Whoever sends it as `x-sluice-key` may force a variant of these endpoints and be explained to.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class IssuedKeySerializer(serializers.Serializer[object]):
    """The key, which is shown this once."""

    key = serializers.CharField()


@extend_schema_view(
    list=extend_schema(
        description="All keys, without their secrets: only a hash of each is kept.",
        responses={200: AccessKeySerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(
        description="One key.",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={200: AccessKeySerializer, **NOT_MODIFIED, **READ_PROBLEMS},
    ),
    create=extend_schema(
        description="Issue a key. Only this answer shows it.",
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer, **WRITE_PROBLEMS},
    ),
    destroy=extend_schema(
        description="Revoke a key.",
        parameters=[IF_MATCH],
        responses={204: None, **CONDITIONAL_PROBLEMS, **BRAKE_PROBLEMS},
    ),
)
class AccessKeyViewSet(
    Idempotent,
    Tagged[AccessKey],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[AccessKey],
):
    """Keys that let clients in."""

    queryset = AccessKey.objects.prefetch_related("endpoints")
    permission_classes = (needs(Right.PLAN),)
    serializer_class = AccessKeySerializer
    secret_of: ClassVar = {
        "create": "Revoke the newest key of this client, and issue another, with a new `Idempotency-Key`."
    }

    def create(self, request: Request) -> Response:
        """Issue a key."""
        sent = NewKeySerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data = sent.validated_data
        key = issue_key(
            data["client"],
            endpoints=data.get("endpoints", []),
            expires_at=data.get("expires_at"),
            for_tests=data["for_tests"],
            actor=request_actor(request),
        )
        return Response({"key": key}, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: AccessKey) -> None:
        """Revoke it; that it was there stays on record."""
        self.refuse_outdated(instance)
        revoke_key(instance, actor=request_actor(self.request))
        require_told()
