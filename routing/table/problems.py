"""What keeps an edge from serving a table, each with a code, a sentence and what to do next."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from routing.table.types import (
    BUCKETS,
    FULL_COVERAGE,
    Arm,
    Backend,
    Endpoint,
    Problem,
    RunningExperiment,
    Table,
    UnitSource,
)

RESERVED_PATH = "/.sluice"
RESERVED_HEADERS = ("x-sluice-", "x-envoy-")

_KEY = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"/[!-~]*")
_ADDRESS = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.IGNORECASE)
_HEADER = re.compile(r"[a-z0-9_.-]+", re.IGNORECASE)
_FIELD = re.compile(r"[\w-]+(\.[\w-]+)*", re.ASCII)


def problems(table: Table) -> tuple[Problem, ...]:
    """Everything that keeps an edge from serving this table; empty when it can."""
    checks = (_table_problems, _backend_problems, _endpoint_problems, _experiment_problems)
    return tuple(problem for check in checks for problem in check(table))


def _table_problems(table: Table) -> Iterator[Problem]:
    if table.version < 0:
        yield Problem(
            "version-invalid",
            "Bad version",
            f"Version {table.version} is below zero.",
            "Publish with a higher one.",
        )
    experiments = [experiment for endpoint in table.endpoints for experiment in endpoint.experiments]
    yield from _repeated("endpoint", (endpoint.key for endpoint in table.endpoints))
    yield from _repeated("backend", (backend.key for backend in table.backends))
    yield from _repeated("experiment", (experiment.key for experiment in experiments))
    yield from _repeated("path prefix", (endpoint.path_prefix for endpoint in table.endpoints))


def _repeated(what: str, names: Iterable[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(
                f"{what.replace(' ', '-')}-duplicate",
                f"Repeated {what}",
                f"The {what} {name} appears {count} times.",
                "Give each a name of its own.",
            )


def _backend_problems(table: Table) -> Iterator[Problem]:
    for backend in table.backends:
        yield from _key_problems("backend", backend.key)
        yield from _address_problems(backend)
        if not _PATH.fullmatch(backend.health_path):
            yield Problem(
                "health-path-invalid",
                "Bad health path",
                f"Backend {backend.key} has the health path {backend.health_path!r}.",
                "Start it with `/` and use no spaces, like `/health`.",
            )
        if not all(math.isfinite(price) and price >= 0 for price in (backend.prompt_price, backend.completion_price)):
            yield Problem(
                "price-invalid",
                "Bad price",
                f"Backend {backend.key} has a price that is no number of at least zero.",
                "Set the price of a million tokens, or zero.",
            )


def _address_problems(backend: Backend) -> Iterator[Problem]:
    next_step = "Write each as scheme, host and port, like `http://10.0.0.5:8000`."
    if not backend.addresses:
        yield Problem("address-missing", "No address", f"Backend {backend.key} has no address.", next_step)
    for address in backend.addresses:
        if not _is_address(address):
            detail = f"Backend {backend.key} has the address {address!r}."
            yield Problem("address-invalid", "Bad address", detail, next_step)
    yield from _repeated("address", backend.addresses)
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


def _endpoint_problems(table: Table) -> Iterator[Problem]:
    backends = {backend.key for backend in table.backends}
    for endpoint in table.endpoints:
        yield from _key_problems("endpoint", endpoint.key)
        yield from _path_prefix_problems(endpoint)
        yield from _unit_problems(endpoint)
        yield from _unknown_backend(backends, endpoint.backend, f"Endpoint {endpoint.key}")
        if endpoint.timeout_seconds < 0:
            yield Problem(
                "timeout-invalid",
                "Bad time limit",
                f"Endpoint {endpoint.key} has a time limit of {endpoint.timeout_seconds} seconds.",
                "Set the longest answer in seconds, or 0 for no limit.",
            )


def _path_prefix_problems(endpoint: Endpoint) -> Iterator[Problem]:
    prefix = endpoint.path_prefix
    detail = f"Endpoint {endpoint.key} has the path prefix {prefix!r}."
    if not _PATH.fullmatch(prefix) or "?" in prefix or "#" in prefix:
        next_step = "Start it with `/` and use no spaces, `?` or `#`, like `/chat`."
        yield Problem("path-prefix-invalid", "Bad path prefix", detail, next_step)
    if prefix == RESERVED_PATH or prefix.startswith(f"{RESERVED_PATH}/"):
        next_step = f"Choose one that does not start with `{RESERVED_PATH}`."
        yield Problem("path-prefix-reserved", "Reserved path prefix", detail, next_step)


def _unit_problems(endpoint: Endpoint) -> Iterator[Problem]:
    unit = endpoint.unit
    detail = f"Endpoint {endpoint.key} takes its unit from the {unit.source} {unit.name!r}."
    form = _HEADER if unit.source is UnitSource.HEADER else _FIELD
    if not form.fullmatch(unit.name):
        next_step = "Name a header like `x-user-id`, or a field of the JSON body like `user` or `metadata.user`."
        yield Problem("unit-name-invalid", "Bad unit name", detail, next_step)
    if unit.source is UnitSource.HEADER and unit.name.lower().startswith(RESERVED_HEADERS):
        next_step = "Choose a header that your clients set."
        yield Problem("unit-name-reserved", "Reserved header", detail, next_step)


def _experiment_problems(table: Table) -> Iterator[Problem]:
    backends = {backend.key for backend in table.backends}
    for endpoint in table.endpoints:
        for experiment in endpoint.experiments:
            yield from _key_problems("experiment", experiment.key)
            yield from _ramp_problems(experiment)
            for arm in experiment.arms:
                yield from _arm_problems(experiment, arm)
                yield from _unknown_backend(backends, arm.backend, f"Experiment {experiment.key}")
            names = (f"{experiment.key}/{arm.variant}" for arm in experiment.arms)
            yield from _repeated("variant", names)
        yield from _overlaps(endpoint)


def _ramp_problems(experiment: RunningExperiment) -> Iterator[Problem]:
    if not 0 <= experiment.coverage <= FULL_COVERAGE:
        yield Problem(
            "coverage-invalid",
            "Bad coverage",
            f"Experiment {experiment.key} has a coverage of {experiment.coverage}.",
            f"Set it between 0 and {FULL_COVERAGE}, which is all of each arm's span.",
        )
    if experiment.stage < 0:
        yield Problem(
            "stage-invalid",
            "Bad stage",
            f"Experiment {experiment.key} is at stage {experiment.stage}.",
            "Count stages from 0.",
        )


def _arm_problems(experiment: RunningExperiment, arm: Arm) -> Iterator[Problem]:
    yield from _key_problems("variant", arm.variant)
    if not 0 <= arm.start < arm.end <= BUCKETS:
        yield Problem(
            "span-invalid",
            "Bad span",
            f"Variant {arm.variant} of experiment {experiment.key} has the buckets {arm.start} to {arm.end}.",
            f"Give it at least one bucket between 0 and {BUCKETS}; raise the traffic or the weight.",
        )


def _overlaps(endpoint: Endpoint) -> Iterator[Problem]:
    arms = [(arm, experiment.key) for experiment in endpoint.experiments for arm in experiment.arms]
    in_order = sorted(arms, key=lambda pair: (pair[0].start, pair[0].end))
    for (earlier, owner), (later, other) in pairwise(in_order):
        if later.start < earlier.end:
            pair = f"{owner}/{earlier.variant} and {other}/{later.variant}"
            yield Problem(
                "spans-overlap",
                "Overlapping spans",
                f"On endpoint {endpoint.key}, {pair} share buckets.",
                "Place the experiments in spans that do not touch.",
            )


def _unknown_backend(backends: set[str], backend: str, owner: str) -> Iterator[Problem]:
    if backend not in backends:
        detail = f"{owner} names the backend {backend}, which the table does not have."
        yield Problem("backend-unknown", "Unknown backend", detail, "Register the backend, or name another.")


def _key_problems(what: str, key: str) -> Iterator[Problem]:
    if not _KEY.fullmatch(key):
        detail = f"{key!r} cannot be the key of a {what}."
        next_step = "Use at most 63 lower-case letters, digits and inner hyphens, like `chat-v2`."
        yield Problem("key-invalid", "Bad key", detail, next_step)
