"""How often somebody may try to log in: counted for each pair of an account and an address.

By the account alone one could lock another out, and by the address alone a whole office. While Redis is away nothing is
counted: who has the password must get in then, to see what is wrong.
"""

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

import redis
import structlog
from django.http import HttpRequest

from controlplane.accounts.client_address import client_address, is_address
from controlplane.storage.redis_connections import glance_at_redis

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10
WINDOW_SECONDS = 900

_PREFIX = "sluice:login:"
_NETWORK_OF_ONE = 64
"""Whoever has one address of IPv6 has all of such a network."""


def may_try(account: str, request: HttpRequest) -> bool:
    """Count an attempt; False once there were too many of the pair within the window."""
    key = _key(account, request)
    try:
        with glance_at_redis().pipeline() as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_SECONDS, nx=True)
            attempts, _ = pipeline.execute()
    except redis.RedisError as error:
        log.warning("an attempt to log in is not counted", reason=str(error))
        return True
    return int(attempts) <= MOST_ATTEMPTS


def forget(account: str, request: HttpRequest) -> None:
    """Who logged in begins anew."""
    try:
        glance_at_redis().delete(_key(account, request))
    except redis.RedisError as error:
        log.warning("attempts to log in are not forgotten", reason=str(error))


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; of IPv6 the network of the address."""
    address = client_address(request)
    if is_address(address) and isinstance(ip_address(address), IPv6Address):
        return str(ip_network((address, _NETWORK_OF_ONE), strict=False))
    return address


def _key(account: str, request: HttpRequest) -> str:
    pair = f"{address_of(request)} {account}"
    return f"{_PREFIX}{sha256(pair.encode()).hexdigest()}"
