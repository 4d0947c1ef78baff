"""What makes no sense of rows, in words: pages and the API show such a row, and all others as ever."""

from collections.abc import Collection
from typing import Any, cast

from django.utils.functional import SimpleLazyObject

from routing.models import IN_USE, Backend, Endpoint, Issuer
from routing.publishing.wanted_table import problem_of


def what_is_broken(row: Backend | Issuer | Endpoint, backends: Collection[str]) -> str:
    """Why edges could not serve a row, beside these backends, and what to do; empty where they can.

    Raises `DatabaseError`.
    """
    problem = problem_of(row, backends)
    return f"Broken: {problem.detail.rstrip('.')}. {problem.next_step}" if problem else ""


def known_backends() -> Collection[str]:
    """The keys of those that an endpoint may name; read when they are first looked at."""
    found: Any = SimpleLazyObject(lambda: frozenset(Backend.objects.filter(IN_USE).values_list("key", flat=True)))
    return cast("Collection[str]", found)
