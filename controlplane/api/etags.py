"""Entity tags: an answer with one thing says in which state that is, and a write may name the state it is meant for."""

from hashlib import sha256
from typing import Any, Generic, TypeVar

from django.db.models import Model
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from controlplane.storage.versions import Versioned, outdated

Thing = TypeVar("Thing", bound=Model)

DIGITS = 32

ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The state of the thing in this answer; send it as `If-Match` with a write that is meant for it.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="Entity tags; the answer is 304 while one is current.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="Entity tags of the states that the write is meant for; in any other it is refused with 412. May be "
    "left out.",
)
NOT_MODIFIED: dict[int, None] = {304: None}


def entity_tag(content: object) -> str:
    """The strong entity tag of what an answer holds: equal for equal content alone."""
    return quote_etag(sha256(JSONRenderer().render(content)).hexdigest()[:DIGITS])


def is_known(header: str, tag: str) -> bool:
    """Whether a client has what `If-None-Match` names; a proxy that compresses it makes its tag a weak one."""
    return any(one == "*" or one.removeprefix("W/") == tag for one in parse_etags(header))


class Tagged(GenericViewSet[Thing], Generic[Thing]):
    """Answers with one thing carry its entity tag, and writes heed `If-Match`."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the tag of an answer that is one thing; a reader who has it gets 304."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        content = getattr(answer, "data", None)
        if not isinstance(getattr(content, "serializer", None), self.get_serializer_class()):
            return answer
        answer["ETag"] = tag = entity_tag(content)
        if request.method in SAFE_METHODS and is_known(request.headers.get("If-None-Match", ""), tag):
            answer.data, answer.status_code = None, status.HTTP_304_NOT_MODIFIED
        return answer

    def refuse_outdated(self, thing: Thing) -> None:
        """Raise `Outdated` when the request is meant for another state of the thing than that which was read."""
        wanted = parse_etags(self.request.headers.get("If-Match", "*"))
        if wanted != ["*"] and entity_tag(self.get_serializer(thing).data) not in wanted:
            raise outdated(thing)

    def version_of(self, thing: Versioned) -> int | None:
        """The version that the request is meant for, None for any; `refuse_outdated` before."""
        return thing.version if "If-Match" in self.request.headers else None
