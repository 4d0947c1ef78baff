"""REST views of API tokens: which there are, rotation and revocation."""

from datetime import timedelta
from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.accounts.revoke_token import revoke_token
from controlplane.accounts.rotate_token import LONGEST_OVERLAP_HOURS, USUAL_OVERLAP_HOURS, rotate_token
from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from controlplane.api.fields import StrictSerializer
from controlplane.api.idempotency import Idempotent
from controlplane.api.permissions import RightPermission
from controlplane.api.schema import CONDITIONAL_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS
from controlplane.models import Right, Token
from controlplane.problems.errors import NotAllowed


class TokenSerializer(serializers.ModelSerializer[Token]):
    """An API token; what it is called by its first letters, never its secret."""

    owner = serializers.CharField(source="user.username")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="The rights that it is limited to.")
    networks = serializers.ListField(child=serializers.CharField(), help_text="Where it may be used from.")
    endpoints = serializers.ListField(child=serializers.CharField(), help_text="The endpoints that it is limited to.")

    class Meta:
        model = Token
        fields = (
            "prefix",
            "name",
            "owner",
            "role",
            "scopes",
            "networks",
            "endpoints",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )


class OverlapSerializer(StrictSerializer):
    """How long the old token goes on."""

    hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP_HOURS, default=USUAL_OVERLAP_HOURS, help_text="At 0 it ends at once."
    )


class NewTokenSerializer(serializers.Serializer[object]):
    """A token, which is shown this once."""

    token = serializers.CharField()


class TokenPermission(RightPermission):
    """A token may end itself and put another in its own place; about others it asks for the right `admin`."""

    writing = Right.ADMIN

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller may."""
        if request.method in ("GET", "HEAD", "OPTIONS") or not IsAuthenticated().has_permission(request, view):
            return super().has_permission(request, view)
        return request.auth is None or _is_itself(request, view) or super().has_permission(request, view)


def _is_itself(request: Request, view: APIView) -> bool:
    return isinstance(request.auth, Token) and request.auth.prefix == view.kwargs.get("prefix")


@extend_schema_view(
    list=extend_schema(
        description="The caller's tokens, an admin's all, newest first.",
        responses={200: TokenSerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(
        description="One token.",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={200: TokenSerializer, **NOT_MODIFIED, **READ_PROBLEMS},
    ),
    destroy=extend_schema(
        description="Make a token useless at once. A token may revoke itself whatever its rights; others need `admin`.",
        parameters=[IF_MATCH],
        responses={204: None, **CONDITIONAL_PROBLEMS},
    ),
)
class TokenViewSet(
    Idempotent,
    Tagged[Token],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Token],
):
    """API tokens."""

    queryset = Token.objects.select_related("user")
    serializer_class = TokenSerializer
    permission_classes = (TokenPermission,)
    lookup_field = "prefix"
    secret_of: ClassVar[dict[str, str]] = {
        "rotate": "Rotate the token again with a new `Idempotency-Key`, and revoke the newest one of its name."
    }

    def get_queryset(self) -> QuerySet[Token]:
        """The caller's own; all of them for who manages accounts."""
        found, actor = Token.objects.select_related("user"), request_actor(self.request)
        return found if actor.may(Right.ADMIN) else found.filter(user__username=actor.name)

    def perform_destroy(self, instance: Token) -> None:
        """Revoke it; that it was there stays on record."""
        self.refuse_outdated(instance)
        revoke_token(instance, actor=request_actor(self.request))

    @extend_schema(
        description="Put another in the place of a token, which may do the same and is valid for as long. The old one "
        "goes on for so many `hours`. A token rotates itself, whatever its rights, and no other one.",
        request=OverlapSerializer,
        responses={201: NewTokenSerializer, **WRITE_PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, prefix: str) -> Response:
        """Rotate it."""
        sent = OverlapSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        token = self.get_object()
        if request.auth is not None and not _is_itself(request, self):
            raise _rotates_itself(token)
        overlap = timedelta(hours=sent.validated_data["hours"])
        secret = rotate_token(token, overlap=overlap, actor=request_actor(request))
        return Response({"token": secret}, status=status.HTTP_201_CREATED)


def _rotates_itself(token: Token) -> NotAllowed:
    """Another of its owner may have more rights, networks or time."""
    return NotAllowed(
        "not-itself",
        f"A token rotates itself alone, and this is not {token}.",
        next_step="Send the token that shall be rotated, or rotate it on the page Tokens.",
    )
