"""`Idempotency-Key`: a write that is sent again, as its answer was lost, is not done again.

After draft-ietf-httpapi-idempotency-key-header. What was done is answered as it was the first time. What was refused
did nothing, and its key may be used again. A brake is pulled each time that it is sent, whatever was sent before: only
where nothing is left to do is the first answer given.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.permissions import RightPermission
from controlplane.api.remembered_answers import (
    Progress,
    Remembered,
    begin,
    hashed,
    recall,
    release,
    remember,
)
from controlplane.models import Right, Token
from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="Up to 255 characters of your choice, new for each write, like a UUID. Sent again with it within a "
    f"day, the write is not done again: the first answer comes again, with `{REPLAYED}: true`. May be left out.",
)


class SentOtherwise(InvalidInput):
    """A key came again with another request."""

    status = 422


@dataclass(frozen=True, slots=True)
class _Write:
    """A write with a key: under what name it is remembered, and a hash of all that was sent."""

    name: str
    sent: str
    is_brake: bool


class _AnsweredBeforeError(Exception):
    """The answer is there."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class Idempotent(APIView):
    """A view whose POSTs may be sent again with their key."""

    secret_of: ClassVar[dict[str, str]] = {}
    """By action: what its answer shows that is kept nowhere, and what to do where that was lost."""

    write: _Write | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Claim the key once the caller may do it. A body can be read for its hash before it is parsed, not after."""
        body = request._request.body if _has_key(request) else b""
        super().initial(request, *args, **kwargs)
        right = _right(self, request)
        if not _has_key(request) or right is Right.READ:
            return
        write = _write(request, body, is_brake=right is Right.HALT)
        before = None if write.is_brake else begin(write.name, write.sent)
        if before is not None:
            raise _AnsweredBeforeError(self._answer(before, write))
        self.write = write

    def handle_exception(self, exc: Exception) -> Response:
        """An answer that is there is given."""
        return exc.response if isinstance(exc, _AnsweredBeforeError) else super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Remember what was done; of what was refused forget the key."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        write, self.write = self.write, None
        if write is None:
            return answer
        if status.is_success(answer.status_code):
            remember(write.name, self._done(write, answer))
        elif not write.is_brake:
            release(write.name)
        elif answer.status_code == status.HTTP_409_CONFLICT:
            return self._pulled_before(write, request, answer, *args, **kwargs)
        return answer

    def _pulled_before(self, write: _Write, request: Request, refused: Response, *args: Any, **kwargs: Any) -> Response:
        """The first answer of a brake that finds nothing left to do."""
        before = recall(write.name)
        if before is None or before.sent != write.sent:
            return refused
        return super().finalize_response(request, self._answer(before, write), *args, **kwargs)

    def _done(self, write: _Write, answer: Any) -> Remembered:
        if self._secret():
            return Remembered(write.sent, Progress.DONE_IN_SECRET)
        content = json.loads(JSONRenderer().render(answer.data) or b"null")
        return Remembered(write.sent, Progress.DONE, answer.status_code, content, answer.get("ETag", ""))

    def _answer(self, before: Remembered, write: _Write) -> Response:
        """What was answered. Raises `SluiceError` where that cannot be given."""
        if before.sent != write.sent:
            raise _other_request()
        if before.progress is Progress.RUNNING:
            raise _still_running()
        if before.progress is Progress.DONE_IN_SECRET:
            raise _not_kept(self._secret())
        tag = {"ETag": before.etag} if before.etag else {}
        return Response(before.content, status=before.status, headers={REPLAYED: "true", **tag})

    def _secret(self) -> str:
        return self.secret_of.get(getattr(self, "action", ""), "")


def takes_key(view: APIView, method: str) -> bool:
    """Whether the API's document names the header: what needs a right beyond reading and is sent by POST."""
    rights = [each.right(method) for each in view.get_permissions() if isinstance(each, RightPermission)]
    return isinstance(view, Idempotent) and method == "POST" and Right.READ not in rights


def _has_key(request: Request) -> bool:
    return request.method == "POST" and HEADER in request.headers


def _right(view: APIView, request: Request) -> Right:
    [permission] = [each for each in view.get_permissions() if isinstance(each, RightPermission)]
    return permission.needed(request)


def _write(request: Request, body: bytes, *, is_brake: bool) -> _Write:
    """Raises `InvalidInput` for what is no key."""
    found = _KEY.fullmatch(request.headers[HEADER].strip())
    if found is None:
        detail = "The key is empty, longer than 255 characters, or holds spaces, quotes or letters beyond ASCII."
        raise InvalidInput(
            "key-unusable", detail, next_step="Send a UUID.", problems=(FieldProblem(HEADER, "Send a UUID."),)
        )
    return _Write(
        name=hashed(_caller(request).encode(), found[1].encode()),
        sent=hashed(request.get_full_path().encode(), body),
        is_brake=is_brake,
    )


def _caller(request: Request) -> str:
    """Keys of different callers are different."""
    if isinstance(request.auth, Token):
        return f"token {request.auth.pk}"
    return f"user {request.user.pk}"


def _other_request() -> SentOtherwise:
    return SentOtherwise(
        "key-of-another-request",
        f"This `{HEADER}` came before with another request, whose answer it brings.",
        next_step="Choose a new key for each write.",
    )


def _still_running() -> Conflict:
    return Conflict(
        "still-running",
        f"The first request with this `{HEADER}` is not answered yet.",
        next_step="Send it again in a few seconds, with the same key.",
    )


def _not_kept(advice: str) -> Conflict:
    return Conflict(
        "answer-not-kept",
        "This was done. Its answer showed a secret, which is kept nowhere.",
        next_step=advice,
    )
