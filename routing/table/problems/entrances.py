"""Checks of who may call, and who may test: keys, issuers of tokens, rate limits, networks."""

import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from controlplane.problems.problem import Problem
from routing.table.access import AccessKey
from routing.table.problems.repeated_names import key_problems, repeated
from routing.table.types import Endpoint, RateLimitScope, Table

NETWORKS_LIKE = "Write it like `10.0.0.0/8`, `192.0.2.7/32` or `fd00::/8`."

_DIGEST = re.compile(r"[0-9a-f]{64}")


def access_problems(table: Table) -> Iterator[Problem]:
    """What is wrong with the issuers of a table, and with who may call its endpoints how often."""
    yield from repeated("issuer", (issuer.key for issuer in table.issuers))
    for issuer in table.issuers:
        yield from key_problems("issuer", issuer.key)
        if not _is_key_set(issuer.key_set):
            detail = f"Issuer {issuer.key} has no usable key set."
            next_step = 'Paste its JSON Web Key Set, like {"keys": [{"kty": …}]}.'
            yield Problem("key-set-invalid", "Bad key set", detail, next_step)
    issuers = {issuer.key for issuer in table.issuers}
    for endpoint in table.endpoints:
        yield from _endpoint_problems(endpoint, issuers)
        yield from _tester_problems(endpoint)
        yield from _limit_problems(endpoint)


def _is_key_set(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("keys"), list) and bool(found["keys"])


def _endpoint_problems(endpoint: Endpoint, issuers: set[str]) -> Iterator[Problem]:
    if endpoint.access is None:
        return
    if endpoint.access.issuer is not None and endpoint.access.issuer not in issuers:
        detail = f"Endpoint {endpoint.key} takes tokens of {endpoint.access.issuer}, which the table does not have."
        yield Problem("issuer-unknown", "Unknown issuer", detail, "Register the issuer, or name another.")
    yield from _digest_problems(endpoint.access.keys, endpoint)


def _digest_problems(keys: Iterable[AccessKey], endpoint: Endpoint) -> Iterator[Problem]:
    for key in keys:
        yield from key_problems("client", key.client)
        if not _DIGEST.fullmatch(key.digest):
            detail = f"The key of {key.client} for endpoint {endpoint.key} is not a SHA-256."
            yield Problem("digest-invalid", "Bad digest of a key", detail, "Give 64 hexadecimal digits.")


def _tester_problems(endpoint: Endpoint) -> Iterator[Problem]:
    yield from _digest_problems(endpoint.testers.keys, endpoint)
    for place, network in enumerate(endpoint.testers.networks, start=1):
        wrong = network_problem(network)
        if wrong:
            detail = f"Network {place} whose clients may test endpoint {endpoint.key}: {wrong}."
            yield Problem("network-invalid", "Bad network", detail, NETWORKS_LIKE)


def network_problem(text: str) -> str:
    """Why a text is no network of IPv4 or IPv6; empty where it is one.

    >>> network_problem("10.0.0.0/8"), network_problem("10.0.0.1/8")
    ('', '10.0.0.1/8 has host bits set')
    """
    try:
        network = ip_network(text)
    except ValueError as error:
        return str(error)
    return f"{text} names a zone, which is another at each edge" if network.version == 6 and "%" in text else ""


def _limit_problems(endpoint: Endpoint) -> Iterator[Problem]:
    yield from repeated("rate limit", (f"{endpoint.key} {limit.scope}" for limit in endpoint.rate_limits))
    for limit in endpoint.rate_limits:
        if limit.requests < 1 or limit.seconds < 1:
            detail = f"Endpoint {endpoint.key} takes {limit.requests} requests in {limit.seconds} seconds."
            yield Problem("rate-limit-invalid", "Bad rate limit", detail, "Set at least one request and one second.")
        if limit.scope is RateLimitScope.CLIENT and endpoint.access is None:
            detail = f"Endpoint {endpoint.key} counts requests by client, but lets anybody in."
            yield Problem("rate-limit-anybody", "Nobody to count", detail, "Ask for keys, or count by unit.")
