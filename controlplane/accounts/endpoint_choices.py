"""What tokens and people may be limited to."""

from django.apps import apps


def endpoint_choices() -> list[tuple[str, str]]:
    """The keys of all endpoints, as a field of a form wants its choices."""
    endpoints = apps.get_model("routing", "Endpoint")._default_manager
    return [(key, key) for key in endpoints.order_by("key").values_list("key", flat=True)]
