"""All resources there are, and what is made of all of them: addresses, the API's index, the menu."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver
from django.utils.module_loading import import_string
from rest_framework.routers import SimpleRouter

from controlplane.catalogue.calls import calls
from controlplane.catalogue.pages import pages
from controlplane.catalogue.resource import Resource

PLACES = ("routing.catalogue.RESOURCES", "experiments.catalogue.RESOURCES")


@cache
def resources() -> tuple[Resource[Any], ...]:
    """In the order of the menu."""
    return tuple(resource for place in PLACES for resource in import_string(place))


def all_pages() -> list[URLPattern]:
    """The addresses of their pages."""
    return [address for resource in resources() for address in pages(resource)]


def all_calls() -> list[URLPattern | URLResolver]:
    """The paths of their calls."""
    router = SimpleRouter(trailing_slash=False)
    for resource in resources():
        router.register(resource.plural, calls(resource))
    return router.urls


def menu(request: HttpRequest) -> dict[str, object]:
    """Template context: what the menu leads to."""
    return {"menu": [resource for resource in resources() if resource.in_menu]}
