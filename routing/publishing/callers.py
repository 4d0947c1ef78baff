"""Reads of who may call an endpoint, and who may test it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from routing.models import AccessKey, Endpoint, Entrance
from routing.table import Access, Testers
from routing.table import AccessKey as TableKey


@dataclass(frozen=True, slots=True)
class LivingKey:
    """A key that is neither revoked nor expired, and the endpoints that it opens; none means all."""

    key: TableKey
    endpoints: frozenset[int]
    for_tests: bool = False

    def opens(self, endpoint: Endpoint) -> bool:
        """Whether it lets its client in here."""
        return not self.endpoints or endpoint.pk in self.endpoints


def living_keys() -> tuple[LivingKey, ...]:
    """All keys that are neither revoked nor expired."""
    living = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    opened: dict[int, set[int]] = defaultdict(set)
    for key, endpoint in AccessKey.endpoints.through.objects.values_list("accesskey", "endpoint"):
        opened[key].add(endpoint)
    found = AccessKey.objects.filter(living).order_by("pk").values_list("pk", "client", "digest", "for_tests")
    return tuple(
        LivingKey(TableKey(client, digest), frozenset(opened[pk]), for_tests) for pk, client, digest, for_tests in found
    )


def access(endpoint: Endpoint, keys: Sequence[LivingKey]) -> Access | None:
    """Who may call an endpoint; None for anybody."""
    if endpoint.entrance == Entrance.OPEN:
        return None
    asks_for_keys = endpoint.entrance in (Entrance.KEY, Entrance.EITHER)
    takes_tokens = endpoint.entrance in (Entrance.TOKEN, Entrance.EITHER)
    return Access(
        keys=tuple(living.key for living in keys if living.opens(endpoint)) if asks_for_keys else (),
        issuer=endpoint.issuer.key if takes_tokens and endpoint.issuer else None,
    )


def testers(endpoint: Endpoint, keys: Sequence[LivingKey]) -> Testers:
    """Who may force variants of an endpoint and be explained to, whatever it asks of who calls."""
    return Testers(
        keys=tuple(living.key for living in keys if living.for_tests and living.opens(endpoint)),
        networks=tuple(endpoint.test_networks),
    )
