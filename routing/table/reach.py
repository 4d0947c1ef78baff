"""Which backends of a table edges have to do with."""

from collections.abc import Iterator
from dataclasses import replace

from routing.table.types import Backend, Endpoint, Table


def reached(table: Table) -> tuple[Backend, ...]:
    """The backends that requests can get to, and those that are kept warm, each with its fallback; in their order.

    All others are only known: edges neither connect to them nor ask whether they are healthy.
    """
    named = {key for endpoint in table.endpoints for key in named_by(endpoint)}
    fallbacks = {backend.fallback for backend in table.backends if backend.key in named}
    return tuple(backend for backend in table.backends if backend.key in named | fallbacks)


def named_by(endpoint: Endpoint) -> Iterator[str]:
    """The keys of the backends that an endpoint names, whatever for."""
    yield endpoint.backend
    yield from (tier.backend for tier in endpoint.tiers)
    yield from (rule.backend for rule in endpoint.rules)
    yield from (shadow.backend for shadow in endpoint.shadows)
    yield from (arm.backend for experiment in endpoint.experiments for arm in experiment.arms)
    yield from endpoint.warm


def keeping_warm(endpoint: Endpoint, before: Endpoint) -> Endpoint:
    """An endpoint from which something was taken for a time, with the backends that it named `before` kept warm."""
    gone = {*named_by(before)} - {*named_by(endpoint)}
    return replace(endpoint, warm=(*endpoint.warm, *sorted(gone)))
