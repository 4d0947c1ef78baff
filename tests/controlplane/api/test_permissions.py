"""Who may call which operation: every one of the API, by everybody."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from controlplane.audit.actors import SLUICE
from controlplane.models import Role, Token
from experiments.actions.start import start
from routing.models import AccessKey, Edge, Erasure, EventImport, Issuer, Layer
from routing.resources.register import register
from routing.resources.retire import retire
from tests.factories.drafts import backend, draft, draft_data, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller

pytestmark = pytest.mark.slow

BACKEND = {"key": "new", "name": "New", "addresses": ["http://127.0.0.1:9"]}
ENDPOINT = {"key": "new", "name": "New", "path_prefix": "/new", "backend": "stable"}
ISSUER = {"key": "login", "name": "Login", "issuer": "https://login.example.com", "key_set": Signer().key_set()}
METRIC = {"key": "new", "name": "New", "type": "mean", "numerator": "requests", "direction": "increase"}
EVENT = {"id": "1", "name": "click", "unit": "ada"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, and the status that an operator gets for it."""

    method: str
    path: str
    expected: int
    body: Any = None
    needs: Role = Role.OPERATOR


READS = [
    Operation("GET", path, 200)
    for path in (
        "",
        "schema/",
        "backends",
        "backends/stable",
        "endpoints",
        "endpoints/chat",
        "endpoints/chat/traffic",
        "metrics/latency/uses",
        "layers",
        "layers/chat",
        "metrics",
        "metrics/cost-per-request",
        "experiments",
        "experiments/waiting",
        "experiments/waiting/spec",
        "experiments/live/analyses",
        "experiments/live/course",
        "experiments/live/decisions",
        "experiments/live/edges",
        "experiments/live/gate",
        "issuers",
        "issuers/login",
        "access-keys",
        "access-keys/1",
        "edges",
        "edges/frankfurt-1.example.com",
        "alerts",
        "events/counts",
        "lake",
        "data-health",
        "erasures",
        "erasures/1",
        "routing-tables",
        "routing-tables/1",
        "routing-tables/current",
        "kill-switch",
        "specs/export",
        "specs/schema",
    )
] + [
    Operation("GET", "event-imports", 200),
    Operation("GET", "event-imports/upload", 200, needs=Role.SENDER),
    Operation("POST", "experiments/waiting/forecast", 200, {"users_per_hour": 500}),
    Operation("POST", "specs/plan", 200, {"backends": [BACKEND]}),
    Operation("POST", "specs/export", 200, {"backends": [BACKEND]}),
]
WRITES = [
    Operation("POST", "backends", 201, BACKEND),
    Operation("PATCH", "backends/stable", 200, {"name": "Renamed"}),
    Operation("DELETE", "backends/lonely", 204),
    Operation("POST", "backends/lonely/retire", 200),
    Operation("POST", "backends/retired/restore", 200),
    Operation("POST", "edges/frankfurt-1.example.com/retire", 204),
    Operation("POST", "endpoints", 201, ENDPOINT),
    Operation("PATCH", "endpoints/chat", 200, {"name": "Renamed"}),
    Operation("DELETE", "endpoints/lonely", 204),
    Operation("POST", "layers", 201, {"key": "new", "name": "New", "holdout": 10}),
    Operation("PATCH", "layers/chat", 200, {"name": "Renamed"}),
    Operation("DELETE", "layers/empty", 204),
    Operation("POST", "issuers", 201, {**ISSUER, "key": "new"}),
    Operation("PATCH", "issuers/login", 200, {"name": "Renamed"}),
    Operation("DELETE", "issuers/login", 204),
    Operation("POST", "access-keys", 201, {"client": "mobile"}),
    Operation("DELETE", "access-keys/1", 204),
    Operation("POST", "metrics", 201, METRIC),
    Operation("PATCH", "metrics/cost-per-request", 200, {"name": "Renamed"}),
    Operation("DELETE", "metrics/cost-per-request", 204),
    Operation("POST", "experiments", 201, draft_data("another")),
    Operation("PATCH", "experiments/waiting", 200, {"name": "Renamed"}),
    Operation("PATCH", "experiments/live", 409, {"name": "Renamed"}),
    Operation("DELETE", "experiments/waiting", 204),
    Operation("POST", "experiments/waiting/start", 200, {}),
    Operation("POST", "experiments/live/pause", 200, {}),
    Operation("POST", "experiments/live/resume", 409, {}),
    Operation("POST", "experiments/live/halt", 200, {"reason": "looks wrong"}),
    Operation("POST", "experiments/live/promote", 200, {"reason": "looks right"}),
    Operation("POST", "endpoints/chat/switch", 409, {}),
    Operation("POST", "endpoints/warm/switch", 200, {"to": "warm", "reason": "all tests are green"}),
    Operation("POST", "specs/apply", 200, {"backends": [BACKEND]}),
    Operation("POST", "kill-switch", 200, {"on": True, "reason": "looks wrong", "endpoint": "chat"}),
    Operation("POST", "kill-switch", 200, {"on": False, "reason": "looks right"}),
    Operation("POST", "erasures", 403, {"user": "ada", "reason": "she asked for it"}, Role.ADMIN),
    Operation("POST", "events", 202, {"events": [EVENT]}, Role.SENDER),
    Operation("POST", "event-imports", 201, {"name": "labels.csv", "size": 5}, Role.SENDER),
    Operation("PUT", "event-imports/upload/content", 400, needs=Role.SENDER),
]


@pytest.fixture(scope="module", autouse=True)
def _things(module_database: None) -> None:
    endpoint()
    endpoint("lonely")
    backend("lonely")
    retire(backend("retired"), actor=SLUICE)
    Edge.objects.create(name="frankfurt-1.example.com", seen_at="2026-01-01T00:00:00Z")
    register(Layer(key="empty", name="Empty"), actor=SLUICE)
    endpoint("warm", standby="warm")
    register(Issuer(**ISSUER), actor=SLUICE)
    Erasure.objects.create(pk=1, unit=1, asked_at="2026-01-01T00:00:00Z", by="ada", reason="asked for")
    AccessKey.objects.create(pk=1, client="batch", prefix="slk_", digest="0" * 64)
    EventImport.objects.create(key="upload", name="a.csv", kind="csv", size=5, actor="ada")
    draft("waiting", traffic=10)
    start(draft("live", traffic=10), actor=SLUICE)


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_a_stranger_is_sent_away(operation: Operation, stranger: Caller) -> None:
    answer = stranger.send(operation.method, operation.path, operation.body)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("operation", READS, ids=name)
def test_a_viewer_reads(operation: Operation, viewer: Caller) -> None:
    assert viewer.send(operation.method, operation.path, operation.body).status_code == 200


@pytest.mark.parametrize("operation", WRITES, ids=name)
def test_a_viewer_writes_nothing(operation: Operation, viewer: Caller) -> None:
    answer = viewer.send(operation.method, operation.path, operation.body)
    assert answer.status_code == 403
    assert operation.needs.encode() in answer.content


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_a_sender_sends_outcomes_and_nothing_else(operation: Operation, sender: Caller) -> None:
    answer = sender.send(operation.method, operation.path, operation.body)
    assert answer.status_code == (operation.expected if operation.needs is Role.SENDER else 403)


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_a_reporter_reads_and_sends_outcomes(operation: Operation, reporter: Caller) -> None:
    answer = reporter.send(operation.method, operation.path, operation.body)
    may = operation in READS or operation.needs is Role.SENDER
    assert answer.status_code == (operation.expected if may else 403)


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_an_operator_may_all_of_it(operation: Operation, operator: Caller) -> None:
    assert operator.send(operation.method, operation.path, operation.body).status_code == operation.expected


@pytest.mark.parametrize("operation", WRITES, ids=name)
def test_a_revoked_token_opens_nothing(operation: Operation, operator: Caller) -> None:
    Token.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert operator.send(operation.method, operation.path, operation.body).status_code == 401


def test_every_operation_of_the_document_is_called_here() -> None:
    """What this file says of every operation holds for those that the API says it has."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    documented = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method in methods
    }
    assert len(documented) > 40
    called = {(operation.method, operation.path) for operation in READS + WRITES}
    missing = {
        (method, path)
        for method, path in documented
        if not any(method == other and re.fullmatch(_pattern(path), called_path) for other, called_path in called)
    }
    assert missing == set()


def _pattern(path: str) -> str:
    """What a path of the document matches: a name where the document has braces."""
    return re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))
