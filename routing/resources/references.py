"""Reads of who uses a thing, by whatever way."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Model, ProtectedError, Q
from django.db.models.deletion import Collector
from django.utils import timezone

from controlplane.storage.keyed import Keyed
from routing.models import AccessKey, Backend, Endpoint, Split

PLACES = ("tiers", "rules", "shadows")
"""Fields of an endpoint that name backends in lists."""


def users_of(thing: Keyed) -> list[str]:
    """What names a thing and would name nothing if it were removed, in words and in order; empty when nothing does."""
    named = _by_name(thing) if isinstance(thing, Backend) else ()
    keys = _by_key(thing) if isinstance(thing, Endpoint) else ()
    return sorted({*map(str, _by_foreign_key(thing)), *named, *keys})


def living_users(backend: Backend) -> list[str]:
    """What names a backend and is not over, in words and in order: what only history names can be retired."""
    living = (user for user in _by_foreign_key(backend) if not getattr(user, "is_over", False))
    return sorted({*map(str, living), *_by_name(backend)})


def endpoints_naming(backend: Backend) -> set[str]:
    """The keys of the endpoints that name a backend, in whatever place."""
    by_key = Endpoint.objects.filter(Q(backend=backend) | Q(standby=backend)).values_list("key", flat=True)
    in_lists = Endpoint.objects.only("key", *PLACES)
    named = {each.key for each in in_lists for place in PLACES if backend.key in _named(getattr(each, place))}
    return {*by_key, *named}


def running_on(backend: Backend) -> list[str]:
    """The experiments that are placed, and have an arm on this backend."""
    splits = Split.objects.only("experiment", "arms")
    return [split.experiment for split in splits if backend.key in _named(split.arms)]


def _by_foreign_key(thing: Model) -> Iterable[Model]:
    """Rows of any app whose foreign keys protect it. Those that can end say so by `is_over`."""
    collector = Collector(using="default", origin=thing)
    try:
        collector.collect([thing])
    except ProtectedError as error:
        return error.protected_objects
    return ()


def _by_name(backend: Backend) -> Iterator[str]:
    """Tiers, rules, shadows and arms name their backends in lists."""
    for endpoint in Endpoint.objects.only("key", *PLACES):
        yield from (f"{place} of {endpoint.key}" for place in PLACES if backend.key in _named(getattr(endpoint, place)))
    yield from (f"running experiment {experiment}" for experiment in running_on(backend))


def _by_key(endpoint: Endpoint) -> Iterator[str]:
    """An access key whose last endpoint is gone would open all of them."""
    living = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    yield from (f"access key {key}" for key in AccessKey.objects.filter(living, endpoints=endpoint))


def _named(entries: Any) -> list[str]:
    """The backends that a list of entries names, as far as it is one."""
    entries = entries if isinstance(entries, list) else []
    return [entry.get("backend", "") for entry in entries if isinstance(entry, dict)]
