"""What a token that is limited to endpoints reaches: what belongs to these, and what is public to all.

A view says by `endpoint_path` how its rows lead to the key of their endpoint, and with `asks_for_endpoint` that what it
does asks by itself or is public. All others are closed to such tokens.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from controlplane.api.authentication import endpoints_of, request_actor

if TYPE_CHECKING:
    from rest_framework.views import APIView


class EndpointFilter(BaseFilterBackend):
    """Keeps what belongs to other endpoints from such a token."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        """The rows that it may see."""
        limits, path = endpoints_of(request), getattr(view, "endpoint_path", "")
        return queryset if limits is None or not path else queryset.filter(**{f"{path}__in": limits})


def require_endpoint(request: Request, view: "APIView") -> None:
    """Raise `NotAllowed` where the token is limited, and what is asked for belongs to another endpoint or to none."""
    if endpoints_of(request) is None or getattr(view, "asks_for_endpoint", False):
        return
    path = getattr(view, "endpoint_path", "")
    if not path:
        request_actor(request).require_endpoint(None)
    endpoint = _endpoint(view, path, view.kwargs.get("key"))
    if endpoint is not None:
        request_actor(request).require_endpoint(endpoint)


def _endpoint(view: "APIView", path: str, key: str | None) -> str | None:
    """The endpoint of the row of this key; None where there is no such row."""
    model: type[Model] = getattr(view, "endpoint_model", None) or view.queryset.model  # type: ignore[attr-defined]
    found: str | None = model._default_manager.filter(key=key).values_list(path, flat=True).first()
    return found
