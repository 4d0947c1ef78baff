"""Who may call which operation: every one of the API, by everybody."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from controlplane.audit.actors import SLUICE
from controlplane.models import Right, Role, Token
from experiments.actions.start import start
from routing.models import AccessKey, Edge, Erasure, EventImport, Issuer, Layer
from routing.resources.register import register
from routing.resources.retire import retire
from tests.factories.drafts import backend, draft, draft_data, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller, caller

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

BACKEND = {"key": "new", "name": "New", "addresses": ["http://127.0.0.1:9"]}
ENDPOINT = {"key": "new", "name": "New", "path_prefix": "/new", "backend": "stable"}
ISSUER = {"key": "login", "name": "Login", "issuer": "https://login.example.com", "key_set": Signer().key_set()}
METRIC = {"key": "new", "name": "New", "type": "mean", "numerator": "requests", "direction": "increase"}
EVENT = {"id": "1", "name": "click", "unit": "ada"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, and the status that an approver gets for it."""

    method: str
    path: str
    expected: int
    body: Any = None
    needs: Right = Right.PLAN


READS = [
    Operation("GET", path, 200, needs=Right.READ)
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
        "experiments/live/exploration",
        "experiments/live/gate",
        "issuers",
        "issuers/login",
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
        "tokens",
    )
] + [
    Operation("GET", "event-imports", 200, needs=Right.READ),
    Operation("GET", "access-keys", 200),
    Operation("GET", "access-keys/1", 200),
    Operation("POST", "experiments/waiting/forecast", 200, {"users_per_hour": 500}, Right.READ),
    Operation("POST", "specs/plan", 200, {"backends": [BACKEND]}, Right.READ),
    Operation("POST", "specs/export", 200, {"backends": [BACKEND]}, Right.READ),
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
    Operation("POST", "experiments/waiting/start", 200, {}, Right.START),
    Operation("POST", "experiments/live/pause", 200, {}, Right.HALT),
    Operation("POST", "experiments/live/resume", 409, {}, Right.START),
    Operation("POST", "experiments/live/halt", 200, {"reason": "looks wrong"}, Right.HALT),
    Operation("POST", "experiments/live/promote", 200, {"reason": "looks right"}, Right.PROMOTE),
    Operation("POST", "endpoints/chat/switch", 409, {}, Right.PROMOTE),
    Operation("POST", "endpoints/warm/switch", 200, {"to": "warm", "reason": "all tests are green"}, Right.PROMOTE),
    Operation("POST", "specs/apply", 200, {"backends": [BACKEND]}),
    Operation("POST", "kill-switch", 200, {"on": True, "reason": "looks wrong", "endpoint": "chat"}, Right.HALT),
    Operation("POST", "kill-switch", 200, {"on": False, "reason": "looks right"}, Right.START),
    Operation("POST", "erasures", 403, {"user": "ada", "reason": "she asked for it"}, Right.ADMIN),
    Operation("POST", "events", 202, {"events": [EVENT]}, Right.EVENTS),
    Operation("POST", "event-imports", 201, {"name": "labels.csv", "size": 5}, Right.EVENTS),
    Operation("PUT", "event-imports/upload/content", 400, needs=Right.EVENTS),
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


MAY = {
    Role.VIEWER: {Right.READ, Right.FLAGS},
    Role.SENDER: {Right.EVENTS},
    Role.REPORTER: {Right.READ, Right.FLAGS, Right.EVENTS},
    Role.OPERATOR: {Right.READ, Right.FLAGS, Right.HALT},
    Role.EDITOR: {Right.READ, Right.FLAGS, Right.HALT, Right.EVENTS, Right.PLAN},
    Role.APPROVER: set(Right) - {Right.ADMIN},
}


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("role", list(MAY))
@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_a_role_may_what_its_rights_say_and_is_told_which_is_missing(operation: Operation, role: Role) -> None:
    answer = caller(role).send(operation.method, operation.path, operation.body)
    if operation.needs in MAY[role]:
        assert answer.status_code == operation.expected
    else:
        assert_missing(answer, operation.needs)


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("operation", READS + WRITES, ids=name)
def test_a_token_of_one_scope_does_what_needs_that_and_nothing_else(operation: Operation) -> None:
    others = caller(Role.ADMIN, set(Right) - {operation.needs})
    assert_missing(others.send(operation.method, operation.path, operation.body), operation.needs)
    alone = caller(Role.ADMIN, {operation.needs})
    expected = 202 if operation.needs is Right.ADMIN else operation.expected
    assert alone.send(operation.method, operation.path, operation.body).status_code == expected


def test_who_sends_a_file_follows_its_import_without_looking_at_anything_else() -> None:
    for scope in (Right.EVENTS, Right.READ):
        assert caller(Role.ADMIN, {scope}).get("event-imports/upload").status_code == 200
    assert_missing(caller(Role.ADMIN, {Right.HALT}).get("event-imports/upload"), Right.READ)


def assert_missing(answer: Any, right: Right) -> None:
    """It is refused, and the right is named."""
    assert answer.status_code == 403
    assert answer.json()["code"] == "right-missing"
    assert f"needs the right {right}." in answer.json()["detail"]


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
    called.add(("GET", "event-imports/upload"))
    # What a token may do to itself whatever its rights is in `test_token_calls.py`.
    called |= {("GET", "tokens/0"), ("DELETE", "tokens/0"), ("POST", "tokens/0/rotate")}
    # Who has no token yet, in `test_workload_calls.py`.
    called.add(("POST", "auth/oidc"))
    missing = {
        (method, path)
        for method, path in documented
        if not any(method == other and re.fullmatch(_pattern(path), called_path) for other, called_path in called)
    }
    assert missing == set()


def test_the_document_names_the_right_of_every_operation() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            pattern = _pattern(path.removeprefix("/api/v1/"))
            same = [each for each in READS + WRITES if each.method == method.upper()]
            rights = {each.needs for each in same if re.fullmatch(pattern, each.path)}
            assert not rights or told["x-right"] in rights, f"{method} {path}"


def _pattern(path: str) -> str:
    """What a path of the document matches: a name where the document has braces."""
    return re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))
