"""Lists are searched by what people call things."""

from typing import Any

from rest_framework.filters import SearchFilter
from rest_framework.views import APIView


class Search(SearchFilter):
    """`?search=` in the columns that a view names as `search_fields`; one that names none knows no such thing."""

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """For the API's document."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        return found if getattr(view, "search_fields", None) else []
