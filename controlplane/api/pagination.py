"""Lists come in pieces: each says where the next begins.

A piece begins behind the last row of the one before, by the values that rows are ordered by, so that what is added or
removed meanwhile neither repeats a row nor skips one. Numbered pages are still there for whoever asks for `page`.
With `fields` each row has these members alone.
Links are paths: whatever a request says of its host leads nobody elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework import pagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from controlplane.problems.errors import FieldProblem, InvalidInput

USUAL = 50
MOST = 500
PARAMETERS: tuple[dict[str, Any], ...] = (
    {
        "name": "limit",
        "in": "query",
        "description": "How many at the most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "Where to go on: as the `next` of the answer before has it.",
        "schema": {"type": "string"},
    },
    {
        "name": "fields",
        "in": "query",
        "description": "The names of members, with commas between them: each row has these alone.",
        "schema": {"type": "array", "items": {"type": "string"}},
        "style": "form",
        "explode": False,
    },
)


class NumberedPages(pagination.PageNumberPagination):
    """`?page=` and `?page_size=`."""

    page_size = USUAL
    page_size_query_param = "page_size"
    max_page_size = MOST

    def get_next_link(self) -> str | None:
        """The path of the next page."""
        return _path(super().get_next_link())

    def get_previous_link(self) -> str | None:
        """The path of the page before."""
        return _path(super().get_previous_link())


class ListPagination(NumberedPages):
    """`?limit=` and `?cursor=`; with `?page=`, numbered pages."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        """The rows of a piece. Raises `InvalidInput` for a limit or a cursor that is none."""
        self.asked, self.numbered = request, self.page_query_param in request.query_params
        if self.numbered:
            return super().paginate_queryset(queryset, request, view)
        self.count, order = queryset.count(), _order(queryset)
        limit = self._limit()
        rows = list(queryset.filter(self._behind(order)).order_by(*order)[: limit + 1])
        self.last = rows[limit - 1] if len(rows) > limit else None
        self.order = order
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        """The rows, how many there are in all, and where to go on, in the body and as a link."""
        rows = self._with_fields(data)
        answer = super().get_paginated_response(rows) if self.numbered else Response(self._content(rows))
        following = answer.data["next"]
        if following:
            answer["Link"] = f'<{following}>; rel="next"'
        return answer

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """For the API's document; what is still understood is called old there."""
        old: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        return [*PARAMETERS, *({**each, "deprecated": True} for each in old)]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For the API's document."""
        found: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name, told in (("next", "The path of the next piece."), ("previous", "Of numbered pages alone.")):
            link = {"type": ["string", "null"], "format": "uri-reference", "description": told}
            found["properties"][name] = link
        return {**found, "required": ["count", "next", "previous", "results"]}

    def _with_fields(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The rows with the members that were asked for. Raises `InvalidInput` for one that they do not have."""
        text = self.asked.query_params.get("fields")
        if text is None or not rows:
            return list(rows)
        names = [name.strip() for name in text.split(",")]
        if not set(names) <= rows[0].keys():
            raise _unusable("fields", f"Name some of {', '.join(rows[0])}, with commas between them.")
        return [{name: row[name] for name in rows[0] if name in names} for row in rows]

    def _content(self, data: Any) -> dict[str, Any]:
        return {"count": self.count, "next": self._next(), "previous": None, "results": data}

    def _next(self) -> str | None:
        if self.last is None:
            return None
        values = [_value(self.last, name.lstrip("-")) for name in self.order]
        cursor = signing.dumps(values, salt=self._salt())
        address = remove_query_param(self.asked.get_full_path(), "page_size")
        return str(replace_query_param(replace_query_param(address, "limit", self._limit()), "cursor", cursor))

    def _limit(self) -> int:
        text = self.asked.query_params.get("limit")
        if text is None:
            return self.get_page_size(self.asked) or USUAL
        if not (text.isascii() and text.isdecimal() and len(text) < len(str(MOST)) + 1 and 1 <= int(text) <= MOST):
            raise _unusable("limit", f"Send a whole number from 1 to {MOST}.")
        return int(text)

    def _behind(self, order: Sequence[str]) -> Q:
        """The rows behind those that came before: all of them at first."""
        cursor = self.asked.query_params.get("cursor")
        if cursor is None:
            return Q()
        try:
            values = signing.loads(cursor, salt=self._salt())
        except signing.BadSignature as error:
            raise _unusable("cursor", "Take it from the `next` of this list, or begin without one.") from error
        found = Q()
        for behind in _alternatives(order, values):
            found |= Q(**behind)
        return found

    def _salt(self) -> str:
        """A cursor is of one list."""
        return f"cursor {self.asked.path}"


def _path(address: str | None) -> str | None:
    return None if address is None else urlsplit(address)._replace(scheme="", netloc="").geturl()


def _order(queryset: QuerySet[Any]) -> tuple[str, ...]:
    """By what rows are ordered, ended by what tells two of them apart."""
    names = tuple(map(str, queryset.query.order_by or queryset.model._meta.ordering or ()))
    if any(_is_unique(queryset.model, name.lstrip("-")) for name in names):
        return names
    return (*names, "-pk" if names[-1:] and names[-1].startswith("-") else "pk")


def _is_unique(model: type[Model], name: str) -> bool:
    if name == "pk":
        return True
    return "__" not in name and bool(getattr(model._meta.get_field(name), "unique", False))


def _value(row: Model, path: str) -> Any:
    """What a row has there, as JSON holds it."""
    found: Any = row
    for name in path.split("__"):
        found = getattr(found, name)
    return found.isoformat() if isinstance(found, datetime) else found


def _alternatives(order: Sequence[str], values: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Behind by the first value, or alike by that and behind by the second, and so on."""
    alike: dict[str, Any] = {}
    for name, value in zip(order, values, strict=True):
        field, operator = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        yield {**alike, f"{field}__{operator}": value}
        alike[field] = value


def _unusable(name: str, message: str) -> InvalidInput:
    detail = f"The parameter {name} is not usable. {message}"
    return InvalidInput(f"{name}-unusable", detail, next_step=message, problems=(FieldProblem(name, message),))
