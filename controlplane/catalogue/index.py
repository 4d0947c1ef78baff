"""The root of the API."""

from urllib.parse import urljoin

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS
from controlplane.catalogue.everything import resources

OTHERS = (
    "access-keys",
    "tokens",
    "experiments",
    "events",
    "event-imports",
    "edges",
    "alerts",
    "routing-tables",
    "kill-switch",
    "specs/export",
    "specs/schema",
    "schema/",
)
"""What is no resource."""


class IndexView(APIView):
    """Where everything is."""

    asks_for_endpoint = True

    @extend_schema(
        description="The paths of all lists.",
        responses={200: OpenApiTypes.OBJECT, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """The paths of all lists."""
        paths = (*(resource.plural for resource in resources()), *OTHERS)
        return Response({path.strip("/"): urljoin(request.path, path) for path in paths})
