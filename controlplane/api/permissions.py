"""Viewers read, operators write."""

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
        request_actor(request).require(Role.VIEWER if request.method in SAFE_METHODS else Role.OPERATOR)
        return True


class ReadPermission(IsAuthenticated):
    """Lets everybody who is known in, whatever the method: for what is sent with POST and writes nothing."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is known and may look."""
        if not super().has_permission(request, view):
            return False
        request_actor(request).require(Role.VIEWER)
        return True
