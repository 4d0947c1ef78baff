"""Reads of who uses a backend, by whatever way."""

from routing.models import Backend, Endpoint
from routing.shapes import rules, shadows, tiers


def living_users(backend: Backend) -> list[str]:
    """What names a backend and is not over, in words and in order: what only history names can be retired."""
    return sorted({*_by_foreign_key(backend), *_in_lists(backend)})


def _by_foreign_key(backend: Backend) -> set[str]:
    """Rows of any app that refer to it. Those that can end say so by `is_over`."""
    accessors = [relation.get_accessor_name() for relation in Backend._meta.related_objects]
    users = [user for accessor in accessors if accessor for user in getattr(backend, accessor).all()]
    return {str(user) for user in users if not getattr(user, "is_over", False)}


def _in_lists(backend: Backend) -> set[str]:
    """Tiers, rules and shadows name their backends in lists of their endpoint."""
    named = {
        endpoint.key: {
            each.backend for each in (*tiers(endpoint.tiers), *rules(endpoint.rules), *shadows(endpoint.shadows))
        }
        for endpoint in Endpoint.objects.only("key", "tiers", "rules", "shadows")
    }
    return {endpoint for endpoint, backends in named.items() if backend.key in backends}
