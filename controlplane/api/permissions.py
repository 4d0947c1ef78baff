"""Viewers read, senders send outcomes, operators write."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from controlplane.api.authentication import request_actor
from controlplane.models import Role

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RolePermission(IsAuthenticated):
    """Asks for the role that the method needs. Raises `NotAllowed`, which says which role is missing."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is known; a known caller without the role is told so."""
        if not super().has_permission(request, view):
            return False
        request_actor(request).require(self.needed(request))
        return True

    def needed(self, request: Request) -> Role:
        """The role without which this request is refused."""
        return Role.VIEWER if request.method in SAFE_METHODS else Role.OPERATOR


class ReadPermission(RolePermission):
    """Lets everybody who may look in, whatever the method: for what is sent with POST and writes nothing."""

    def needed(self, request: Request) -> Role:
        """The lowest role that reads."""
        return Role.VIEWER


class SendPermission(RolePermission):
    """Lets in who may send outcomes."""

    def needed(self, request: Request) -> Role:
        """The lowest role that sends them."""
        return Role.SENDER
