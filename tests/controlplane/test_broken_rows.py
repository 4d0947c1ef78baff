"""A row that makes no sense takes no page away, no list of the API, no alert, no brake and no tick."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection
from django.db.models import F
from django.test import Client

from controlplane.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.models import Experiment, Plan, State, Variant
from experiments.tasks import tick
from routing.actions.issue_key import issue_key
from routing.actions.publish import publish
from routing.actions.register import register
from routing.models import Backend, Edge, Endpoint, Issuer, RoutingTable, Split, Stop
from routing.table import from_json
from tests.controlplane.views.visitors import visitor
from tests.experiments.drafts import backend, draft, endpoint
from tests.people import Caller, caller
from tests.routing.tokens import Signer

pytestmark = pytest.mark.django_db

NONSENSE: list[Any] = ["text", 7, True, {"a": 1}, [7], [None], [[]], [{"a": 1}], [{"backend": "gone"}], ["\x00"], None]
GONE = 999_999

PAGES = (
    "/",
    "/experiments/canary",
    "/experiments/canary/live",
    "/experiments/waiting",
    "/experiments/new",
    "/metrics",
    "/backends",
    "/backends/new",
    "/backends/stable/edit",
    "/backends/candidate/edit",
    "/endpoints",
    "/endpoints/new",
    "/endpoints/chat",
    "/endpoints/chat/edit",
    "/endpoints/chat/switch",
    "/endpoints/chat/stop",
    "/kill-switch",
    "/layers",
    "/layers/chat/edit",
    "/access-keys",
    "/issuers",
    "/issuers/login/edit",
    "/edges",
    "/routing-tables",
    "/audit",
)
LISTS = (
    "backends",
    "backends/stable",
    "endpoints",
    "endpoints/chat",
    "endpoints/chat/traffic",
    "layers",
    "issuers",
    "issuers/login",
    "access-keys",
    "edges",
    "alerts",
    "kill-switch",
    "metrics",
    "experiments",
    "experiments/canary",
    "experiments/waiting",
    "experiments/canary/decisions",
    "routing-tables",
)


@pytest.fixture(autouse=True)
def _installation(redis_server: redis.Redis) -> None:
    """Two endpoints, of which one is sound throughout, with a running canary each; and a draft."""
    issuer = Issuer(key="login", name="Login", issuer="https://login.example.com", key_set=Signer().key_set())
    register(issuer, actor=SLUICE)
    endpoint(standby="candidate")
    sound = Endpoint(key="docs", name="docs", path_prefix="/docs", backend=backend("other"))
    register(sound, actor=SLUICE)
    backend("new")
    start(draft(traffic=50), actor=SLUICE)
    draft("waiting", traffic=10)
    arms = {"control": {"key": "control", "backend": "other"}, "candidates": [{"key": "new", "backend": "new"}]}
    start(draft("docs-canary", endpoint="docs", **arms), actor=SLUICE)
    issue_key("app", endpoints=[endpoint()], expires_at=None, actor=SLUICE)
    Edge.objects.create(name="edge-1", seen_at=Experiment.objects.all()[0].created_at)
    publish("test")


def broken(act: Callable[[], object]) -> None:
    """Break something, whatever the database thinks of it."""
    act()


def assert_all_works(names: str = "") -> None:
    """Every page and list answers, and every brake does what it is for."""
    browser = visitor(Role.ADMIN)
    browser.raise_request_exception = False
    admin = caller(Role.ADMIN)
    bad = [path for path in PAGES if browser.get(path).status_code >= 500]
    bad += [path for path in LISTS if admin.get(path).status_code >= 500]
    assert bad == []
    tick()
    assert halted(admin, "docs-canary") == halted(admin, "canary") == 200
    assert admin.send("POST", "kill-switch", {"on": True, "reason": "looks wrong"}).status_code == 200
    newest = from_json(RoutingTable.objects.order_by("-version")[0].content)
    assert [found.key for part in newest.endpoints for found in part.experiments] == []


def halted(admin: Caller, key: str) -> int:
    return int(admin.send("POST", f"experiments/{key}/halt", {"reason": "looks wrong"}).status_code)


JSON_COLUMNS = [
    (Backend, "addresses"),
    (Issuer, "audiences"),
    *((Endpoint, name) for name in ("headers", "query", "standby_headers", "standby_query", "rules", "hosts")),
    *((Endpoint, name) for name in ("methods", "conditions", "model_names", "rate_limits", "tiers", "shadows")),
    *((Split, name) for name in ("arms", "audience", "guard")),
    *((Edge, name) for name in ("cuts", "loads", "losses")),
    *((Experiment, name) for name in ("audience", "guard", "promoted_audience")),
    *((Variant, name) for name in ("headers", "query")),
    (Plan, "switched_off"),
]


def put(model: Any, column: str, value: Any) -> None:
    """Write JSON into a column of all rows but those of the sound endpoint."""
    write(model, column, json.dumps(value))


def write(model: Any, column: str, text: str) -> None:
    """Write a text into a column as somebody does who knows no rules: of the database neither."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        try:
            cursor.execute(f'UPDATE {table} SET "{column}" = %s', [text])
        finally:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
            for _, sql in triggers:
                cursor.execute(sql)


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize(("model", "column"), JSON_COLUMNS, ids=lambda part: getattr(part, "__name__", part))
def test_nonsense_in_a_column(model: Any, column: str, value: Any) -> None:
    put(model, column, value)
    assert_all_works()


@pytest.mark.parametrize(("model", "column"), JSON_COLUMNS, ids=lambda part: getattr(part, "__name__", part))
def test_no_json_in_a_column(model: Any, column: str) -> None:
    write(model, column, "{no json")
    assert_all_works()
