"""Which right a call needs: reading to look, planning to change anything, unless the call says otherwise."""

from functools import cache
from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from controlplane.api.authentication import request_actor
from controlplane.api.endpoint_limits import require_endpoint
from controlplane.models import Right

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RightPermission(IsAuthenticated):
    """Asks for the right that the method needs, and for the endpoint. Raises `NotAllowed`, which names the missing."""

    reading: ClassVar[Right] = Right.READ
    writing: ClassVar[Right] = Right.PLAN

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is known; a known caller without the right is told so."""
        if not super().has_permission(request, view):
            return False
        request_actor(request).require_anywhere(self.needed(request))
        require_endpoint(request, view)
        return True

    def needed(self, request: Request) -> Right:
        """The right without which this request is refused."""
        return self.right(str(request.method))

    @classmethod
    def right(cls, method: str) -> Right:
        """The right that the API's document names."""
        return cls.reading if method in SAFE_METHODS else cls.writing


@cache
def needs(right: Right, *, reading: Right | None = None) -> type[RightPermission]:
    """Asks for this right whatever the method is; with `reading`, for that where the call changes nothing."""
    parts = {"__doc__": f"Asks for the right {right}.", "writing": right, "reading": reading or right}
    return type(f"Needs{right.name.capitalize()}", (RightPermission,), parts)


ReadPermission = needs(Right.READ)
"""For what is sent with POST and writes nothing."""
