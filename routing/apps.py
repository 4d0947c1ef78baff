"""The app that says who gets which backend."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Backends, endpoints, routing tables and edges."""

    name = "routing"
