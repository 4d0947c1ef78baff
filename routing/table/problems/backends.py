"""Checks of backends."""

import math
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from controlplane.problems.problem import Problem
from routing.protocols import PROTOCOLS
from routing.table.problems.repeated_names import key_problems, repeated, unknown_backend
from routing.table.types import Backend, Table

_PATH = re.compile(r"/[!-~]*")
_ADDRESS = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.IGNORECASE)
_HEADER = re.compile(r"[a-z0-9-]+")


def backend_problems(table: Table) -> Iterator[Problem]:
    """What is wrong with the backends of a table."""
    for backend in table.backends:
        yield from key_problems("backend", backend.key)
        yield from _address_problems(backend)
        yield from _number_problems(backend)
        yield from _credential_problems(backend)
        if backend.protocol not in PROTOCOLS:
            yield Problem(
                "protocol-unknown",
                "Unknown protocol",
                f"Backend {backend.key} speaks {backend.protocol!r}, which this release does not know.",
                f"Use one of {', '.join(PROTOCOLS)}; `http` fits any server.",
            )
        if not _PATH.fullmatch(backend.health_path):
            yield Problem(
                "health-path-invalid",
                "Bad health path",
                f"Backend {backend.key} has the health path {backend.health_path!r}.",
                "Start it with `/` and use no spaces, like `/health`.",
            )
    yield from _fallback_problems(table)


def _address_problems(backend: Backend) -> Iterator[Problem]:
    next_step = "Write each as scheme, host and port, like `http://10.0.0.5:8000`."
    if not backend.addresses:
        yield Problem("address-missing", "No address", f"Backend {backend.key} has no address.", next_step)
    for address in backend.addresses:
        if not _is_address(address):
            detail = f"Backend {backend.key} has the address {address!r}."
            yield Problem("address-invalid", "Bad address", detail, next_step)
    yield from repeated("address", backend.addresses)
    if len({address.partition(":")[0].lower() for address in backend.addresses}) > 1:
        yield Problem(
            "addresses-mixed",
            "http and https mixed",
            f"Some addresses of backend {backend.key} are http and some https.",
            "Use one of the two for all addresses of a backend.",
        )


def _is_address(address: str) -> bool:
    try:
        return bool(_ADDRESS.fullmatch(address)) and urlsplit(address).port != 0
    except ValueError:
        return False


def _number_problems(backend: Backend) -> Iterator[Problem]:
    if not all(math.isfinite(price) and price >= 0 for price in (backend.prompt_price, backend.completion_price)):
        yield Problem(
            "price-invalid",
            "Bad price",
            f"Backend {backend.key} has a price that is negative or not a number.",
            "Set the price of a million tokens, or zero.",
        )
    if not 0 < backend.connect_seconds <= 60:
        yield Problem(
            "connect-time-invalid",
            "Bad time to connect",
            f"Backend {backend.key} may take {backend.connect_seconds} seconds to connect.",
            "Set more than 0 and at most 60 seconds.",
        )
    if backend.concurrency < 0:
        yield Problem(
            "concurrency-invalid",
            "Bad number of requests at once",
            f"Backend {backend.key} takes {backend.concurrency} requests at once.",
            "Set how many it may have under way at once, or 0 for any number.",
        )


def _credential_problems(backend: Backend) -> Iterator[Problem]:
    credential = backend.credential
    if credential is None:
        return
    yield from key_problems("credential", credential.secret)
    if not _HEADER.fullmatch(credential.header) or not credential.prefix.isprintable():
        yield Problem(
            "credential-header-invalid",
            "Bad header of a credential",
            f"Backend {backend.key} is called with the header {credential.header!r}.",
            "Name a header in lower case, like `authorization` or `api-key`.",
        )


def _fallback_problems(table: Table) -> Iterator[Problem]:
    backends = {backend.key: backend for backend in table.backends}
    for backend in table.backends:
        if backend.fallback is None:
            continue
        yield from unknown_backend(backends, backend.fallback, f"Backend {backend.key}")
        fallback = backends.get(backend.fallback)
        if fallback is not None and (fallback.fallback is not None or fallback is backend):
            yield Problem(
                "fallback-chained",
                "A fallback of a fallback",
                f"Backend {backend.key} falls back to {fallback.key}, which falls back itself.",
                "Name a fallback that has none of its own.",
            )
