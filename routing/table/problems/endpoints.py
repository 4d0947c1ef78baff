"""Checks of endpoints: what belongs to them, whose requests they are, how long they wait."""

import math
import re
from collections.abc import Iterator

from controlplane.problems.problem import Problem
from routing.table.basis_points import BUCKETS
from routing.table.problems.parameters import parameter_problems
from routing.table.problems.repeated_names import RESERVED_HEADERS, key_problems, repeated, unknown_backend
from routing.table.rule_conditions import Condition
from routing.table.types import Endpoint, Table, UnitSource

RESERVED_PATH = "/.sluice"
LARGEST_BODY = 32 << 20
"""Bytes of a body that an edge reads; larger ones pass only where nothing in them decides."""

_PATH = re.compile(r"/[!-~]*")
_HEADER = re.compile(r"[a-z0-9_.-]+", re.IGNORECASE)
_FIELD = re.compile(r"[\w-]+(\.[\w-]+)*", re.ASCII)
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_METHOD = re.compile(r"[A-Z]+")
_MODEL = re.compile(r"[!-~]+")


def endpoint_problems(table: Table) -> Iterator[Problem]:
    """What is wrong with the endpoints of a table, their experiments apart."""
    backends = {backend.key for backend in table.backends}
    for endpoint in table.endpoints:
        yield from key_problems("endpoint", endpoint.key)
        yield from _path_problems(endpoint)
        yield from _match_problems(endpoint)
        yield from _unit_problems(endpoint)
        yield from _limit_problems(endpoint)
        yield from _tier_problems(endpoint, backends)
        for backend in (endpoint.backend, *endpoint.warm):
            yield from unknown_backend(backends, backend, f"Endpoint {endpoint.key}")
        yield from parameter_problems(endpoint.parameters, f"Endpoint {endpoint.key}")
    yield from _repeated_matches(table)
    yield from _shared_limits(table)


def _path_problems(endpoint: Endpoint) -> Iterator[Problem]:
    prefix = endpoint.path_prefix
    detail = f"Endpoint {endpoint.key} has the path prefix {prefix!r}."
    if not _is_path(prefix):
        next_step = "Start it with `/` and use no spaces, `?` or `#`, like `/chat`."
        yield Problem("path-prefix-invalid", "Bad path prefix", detail, next_step)
    if prefix == RESERVED_PATH or prefix.startswith(f"{RESERVED_PATH}/"):
        next_step = f"Choose one that does not start with `{RESERVED_PATH}`."
        yield Problem("path-prefix-reserved", "Reserved path prefix", detail, next_step)
    if endpoint.rewrite is not None and not _is_path(endpoint.rewrite):
        detail = f"Endpoint {endpoint.key} replaces its path prefix by {endpoint.rewrite!r}."
        next_step = "Start it with `/` and use no spaces, `?` or `#`, like `/v1`."
        yield Problem("rewrite-invalid", "Bad path to rewrite to", detail, next_step)


def _is_path(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and "?" not in path and "#" not in path


def _match_problems(endpoint: Endpoint) -> Iterator[Problem]:
    parts = (
        ("host", endpoint.hosts, _HOST, "Write it like `api.example.com` or `*.example.com`, without a port."),
        ("method", endpoint.methods, _METHOD, "Write it like `POST`."),
        ("model", endpoint.models, _MODEL, "Write it as clients send it, without spaces, like `gpt-5-mini`."),
    )
    for what, values, form, next_step in parts:
        for value in values:
            if not form.fullmatch(value):
                detail = f"Endpoint {endpoint.key} has the {what} {value!r}."
                yield Problem(f"{what}-invalid", f"Bad {what}", detail, next_step)
    yield from condition_problems(endpoint.conditions, f"Endpoint {endpoint.key}")


def condition_problems(conditions: tuple[Condition, ...], owner: str) -> Iterator[Problem]:
    """Conditions on headers that clients cannot set, or that Envoy could not compare."""
    for condition in conditions:
        reserved = condition.header.lower().startswith(RESERVED_HEADERS)
        plain = all(value.isprintable() for value in condition.values)
        if reserved or not plain or not _HEADER.fullmatch(condition.header):
            detail = f"{owner} has the condition `{condition}`."
            next_step = "Name a header that your clients set, and values of printable characters."
            yield Problem("condition-invalid", "Bad condition", detail, next_step)


def _repeated_matches(table: Table) -> Iterator[Problem]:
    matches = [
        (endpoint.path_prefix, endpoint.hosts, endpoint.methods, endpoint.conditions, endpoint.models)
        for endpoint in table.endpoints
    ]
    for index, endpoint in enumerate(table.endpoints):
        first = matches.index(matches[index])
        if first < index:
            yield Problem(
                "match-duplicate",
                "Two endpoints for the same requests",
                f"Endpoints {table.endpoints[first].key} and {endpoint.key} match the same requests.",
                "Give them different path prefixes, hosts, methods, conditions or models.",
            )


def _shared_limits(table: Table) -> Iterator[Problem]:
    """Which of the endpoints a request belongs to is known only when its body was taken."""
    limits: dict[object, int] = {}
    for endpoint in table.endpoints:
        address = (endpoint.path_prefix, endpoint.hosts, endpoint.methods, endpoint.conditions)
        if limits.setdefault(address, endpoint.limits.body_bytes) != endpoint.limits.body_bytes:
            yield Problem(
                "body-limits-differ",
                "Two limits of bodies",
                f"Endpoint {endpoint.key} differs from others in its model alone, but takes bodies of another length.",
                "Give endpoints that differ in their models alone the same limit of bodies.",
            )


def _unit_problems(endpoint: Endpoint) -> Iterator[Problem]:
    unit = endpoint.unit
    detail = f"Endpoint {endpoint.key} takes the user id from the {unit.source} {unit.name!r}."
    in_header = unit.source in (UnitSource.HEADER, UnitSource.COOKIE)
    form = _HEADER if in_header else _FIELD
    if not form.fullmatch(unit.name):
        next_step = "Name a header like `x-user-id`, or a field of the JSON body like `user` or `metadata.user`."
        yield Problem("unit-name-invalid", "Bad name of the user id", detail, next_step)
    if in_header and unit.name.lower().startswith(RESERVED_HEADERS):
        next_step = "Choose a header that your clients set."
        yield Problem("unit-name-reserved", "Reserved header", detail, next_step)
    if unit.source is UnitSource.CLAIM and (endpoint.access is None or endpoint.access.issuer is None):
        next_step = "Name the issuer of the tokens, or take the user id from a header."
        yield Problem("unit-claim-unverified", "A claim without an issuer", detail, next_step)


def _limit_problems(endpoint: Endpoint) -> Iterator[Problem]:
    limits = endpoint.limits
    times = (endpoint.timeout_seconds, limits.first_byte_seconds, limits.idle_seconds)
    if not all(math.isfinite(seconds) and seconds >= 0 for seconds in times):
        yield Problem(
            "timeout-invalid",
            "Bad time limit",
            f"Endpoint {endpoint.key} has the time limits {times} in seconds.",
            "Set the longest time in seconds, or 0 for no limit.",
        )
    if not 0 <= limits.retries <= 5:
        yield Problem(
            "retries-invalid",
            "Bad number of retries",
            f"Endpoint {endpoint.key} tries again {limits.retries} times.",
            "Set 0 to 5.",
        )
    if not 0 <= limits.body_bytes <= LARGEST_BODY:
        yield Problem(
            "body-limit-invalid",
            "Bad limit of bodies",
            f"Endpoint {endpoint.key} takes bodies of {limits.body_bytes} bytes.",
            f"Set at most {LARGEST_BODY}, or 0 for no limit of its own.",
        )
    if not 0 <= endpoint.kept <= BUCKETS:
        yield Problem(
            "kept-share-invalid",
            "Bad share to keep",
            f"Endpoint {endpoint.key} keeps {endpoint.kept} of {BUCKETS} users whom no experiment takes.",
            f"Set 0 to {BUCKETS}.",
        )
    if not 0 <= endpoint.holdout < BUCKETS:
        yield Problem(
            "holdout-invalid",
            "Bad holdout",
            f"Endpoint {endpoint.key} holds {endpoint.holdout} buckets out.",
            f"Set 0 to {BUCKETS - 1}.",
        )


def _tier_problems(endpoint: Endpoint, backends: set[str]) -> Iterator[Problem]:
    yield from repeated("tier", (f"{endpoint.key}/{tier.key}" for tier in endpoint.tiers))
    for tier in endpoint.tiers:
        owner = f"Tier {tier.key} of endpoint {endpoint.key}"
        yield from key_problems("tier", tier.key)
        yield from condition_problems(tier.conditions, owner)
        yield from unknown_backend(backends, tier.backend, owner)
        if tier.longest_bytes < 0 or not (tier.conditions or tier.longest_bytes):
            next_step = "Give it a condition on a header, or the longest body in bytes."
            yield Problem("tier-invalid", "A tier for everything", f"{owner} has no condition.", next_step)
