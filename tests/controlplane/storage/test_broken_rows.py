"""A row that makes no sense takes no page away, no list of the API, no alert, no brake and no tick."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db import connection

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from experiments.loop.jobs import tick
from experiments.models import Experiment, Metric, MetricEdition, Plan, PlanMetric, Stage, Variant
from routing.models import Backend, Edge, Endpoint, Issuer, Layer, RoutingTable, Split, Tick
from routing.publishing.publish import publish
from routing.resources.issue_key import issue_key
from routing.resources.register import register
from routing.table import from_json
from tests.factories.drafts import backend, draft, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller, caller
from tests.visitors.roles import text, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="others keep such rows out"),
]

NONSENSE: list[Any] = ["text", 7, {"a": 1}, [7], [None], [{"backend": "gone"}], None]
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


@pytest.fixture(scope="module")
def _installation(module_database: None) -> None:
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
    Backend.objects.filter(key="candidate").update(health_path="")
    Tick.objects.create(pk=1, at=Experiment.objects.all()[0].created_at)
    Edge.objects.create(name="edge-1", seen_at=Experiment.objects.all()[0].created_at)


@pytest.fixture(autouse=True)
def _published(_installation: None, redis_server: redis.Redis) -> None:
    publish("test")


def assert_all_works() -> None:
    """Every page and list answers, the tick goes on, and every brake does what it is for."""
    browser, admin = visitor(Role.ADMIN), caller(Role.ADMIN)
    browser.raise_request_exception = False
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


COLUMNS: dict[Any, tuple[str, ...]] = {
    Backend: ("addresses",),
    Issuer: ("audiences",),
    Endpoint: (
        *("headers", "query", "standby_headers", "standby_query", "rules", "hosts", "methods"),
        *("conditions", "model_names", "test_networks", "rate_limits", "tiers", "shadows"),
    ),
    Split: ("arms", "audience", "guard"),
    Edge: ("cuts", "loads", "losses"),
    Experiment: ("audience", "guard", "promoted_audience"),
    Variant: ("headers", "query"),
    Plan: ("switched_off", "dimensions"),
    Metric: ("conditions",),
    MetricEdition: ("conditions",),
}


@contextmanager
def without_rules() -> Iterator[Any]:
    """A cursor of somebody who knows no rules: neither those of Sluice nor those of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        try:
            yield cursor
        finally:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
            for _, made in triggers:
                cursor.execute(made)


def write(model: Any, column: str, content: object) -> None:
    """Put this into a column of all rows."""
    with without_rules() as cursor:
        cursor.execute(f'UPDATE {model._meta.db_table} SET "{column}" = %s', [content])  # noqa: S608


def clear(model: Any) -> None:
    """Take all rows away."""
    with without_rules() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_nonsense_in_every_column(value: Any) -> None:
    for model, columns in COLUMNS.items():
        for column in columns:
            write(model, column, json.dumps(value))
    assert_all_works()


@pytest.mark.parametrize("model", list(COLUMNS), ids=lambda model: model.__name__)
def test_what_is_no_json_at_all(model: Any) -> None:
    for column in COLUMNS[model]:
        write(model, column, "{no json")
    assert_all_works()


def decided(sequence: object, evidence: str = "{}") -> None:
    """A decision of that number in each experiment that runs."""
    columns = "sequence, kind, code, reason, actor, at, stage_index, variant_key, evidence, previous_hash, hash"
    with without_rules() as cursor:
        cursor.execute(
            f"INSERT INTO experiments_decision ({columns}, experiment_id) "  # noqa: S608
            "SELECT %s, 'hold', 'x', 'x', 'x', '2026-11-27 05:00:00', 0, '', %s, '', 'h', id "
            "FROM experiments_experiment WHERE state = 'running'",
            [sequence, evidence],
        )


ARMS = [{"variant": "new", "backend": "gone", "start": 0, "end": 99_999}]
BREAK: dict[str, Callable[[], object]] = {
    "an address that is none": lambda: write(Backend, "addresses", '["http://[::1", "nonsense"]'),
    "no address": lambda: write(Backend, "addresses", "[]"),
    "a protocol of another release": lambda: write(Backend, "protocol", "telnet"),
    "a price that is negative or not a number": lambda: write(Backend, "prompt_price", "much"),
    "a time limit that is no number": lambda: write(Endpoint, "timeout_seconds", "long"),
    "a unit from elsewhere": lambda: write(Endpoint, "unit_source", "moon"),
    "an entrance of another release": lambda: write(Endpoint, "entrance", "moon"),
    "keys of an issuer": lambda: write(Issuer, "key_set", '{"keys": 5}'),
    "a holdout that is no number": lambda: write(Layer, "holdout", "many"),
    "a coverage that is no number": lambda: write(Split, "coverage", "wide"),
    "arms beyond the buckets": lambda: write(Split, "arms", json.dumps(ARMS)),
    "a state of another release": lambda: write(Experiment, "state", "dreaming"),
    "a stage that is no number": lambda: write(Experiment, "stage_index", "abc"),
    "a stage entered at no time": lambda: write(Experiment, "stage_entered_at", "garbage"),
    "a paused time that is none": lambda: write(Experiment, "paused_at", "garbage"),
    "a draft that has users": lambda: write(Experiment, "state", "draft"),
    "an end of one that has users": lambda: write(Experiment, "state", "halted"),
    "a decision without a number": lambda: decided("abc"),
    "the last of all decisions": lambda: decided(2**63 - 1),
    "the last decision of another database": lambda: decided(2**31 - 1),
    "a decision with evidence that is none": lambda: decided(1, evidence="[1,"),
    "a stage that is not there": lambda: write(Experiment, "stage_index", 99),
    "no stages": lambda: clear(Stage),
    "no control": lambda: write(Variant, "is_control", 0),
    "no variants": lambda: clear(Variant),
    "a type of metric of another release": lambda: write(Metric, "type", "vibes"),
    "a role of another release": lambda: write(PlanMetric, "role", "vibes"),
    "a margin that is no number": lambda: write(PlanMetric, "margin", "vibes"),
    "an edge heard at no time": lambda: write(Edge, "seen_at", "lately"),
    "losses and cuts of another shape": lambda: Edge.objects.update(losses=[{"rows": 5}], cuts=[{"a": 1}]),
    "a tick at no time": lambda: write(Tick, "at", "lately"),
}


@pytest.mark.parametrize("case", list(BREAK))
def test_rows_that_make_no_sense(case: str) -> None:
    BREAK[case]()
    assert_all_works()


@contextmanager
def gone(model: Any, column: str) -> Iterator[None]:
    """All rows refer to one that is not there; put right in the end, as a commit would ask for it."""
    before = dict(model.objects.values_list("pk", column))
    model.objects.update(**{column: GONE})
    yield
    for pk, value in before.items():
        model.objects.filter(pk=pk).update(**{column: value})


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (Backend, "fallback_id"),
        (Endpoint, "backend_id"),
        (Endpoint, "standby_id"),
        (Endpoint, "layer_id"),
        (Endpoint, "issuer_id"),
        (Experiment, "endpoint_id"),
        (Variant, "backend_id"),
    ],
)
def test_a_reference_to_what_is_not_there(model: Any, column: str) -> None:
    with gone(model, column):
        assert_all_works()


SAID: list[tuple[Callable[[], object], str, str, str]] = [
    (lambda: write(Backend, "addresses", '["nonsense"]'), "/backends", "backends", "stable"),
    (lambda: write(Endpoint, "tiers", '"easy"'), "/endpoints", "endpoints", "chat"),
    (lambda: write(Issuer, "audiences", "7"), "/issuers", "issuers", "login"),
    (lambda: write(Plan, "switched_off", "7"), "/", "experiments", "canary"),
    (lambda: write(Variant, "headers", "7"), "/", "experiments", "canary"),
]


@pytest.mark.parametrize(("act", "page", "path", "key"), SAID)
def test_a_list_shows_the_row_as_broken(act: Callable[[], object], page: str, path: str, key: str) -> None:
    browser, admin = visitor(Role.ADMIN), caller(Role.ADMIN)
    assert "Broken:" not in text(browser, page)
    assert admin.get(f"{path}/{key}").json()["broken"] == ""
    act()
    assert "Broken:" in text(browser, page)
    [row] = [row for row in admin.get(path).json()["results"] if row["key"] == key]
    assert row["broken"].startswith("Broken:")
    assert row["broken"].endswith(".")
    assert admin.get(f"{path}/{key}").json() == row


def test_a_name_of_what_is_not_there_is_said() -> None:
    Endpoint.objects.filter(key="chat").update(tiers=[{"key": "easy", "backend": "gone", "longest_bytes": 10}])
    [broken] = [row["broken"] for row in caller(Role.ADMIN).get("endpoints").json()["results"] if row["key"] == "chat"]
    assert "gone" in broken
    assert "Broken: " in text(visitor(Role.ADMIN), "/endpoints/chat")


def test_a_missing_backend_leaves_its_endpoint_in_the_list() -> None:
    with gone(Endpoint, "backend_id"):
        assert "its backend is not there any more" in text(visitor(Role.ADMIN), "/endpoints")
        rows = caller(Role.ADMIN).get("endpoints").json()["results"]
        assert {row["key"] for row in rows} == {"chat", "docs"}
        assert all("its backend is not there any more" in row["broken"] for row in rows)


def test_what_is_broken_is_mended_by_a_write_and_by_nothing_else() -> None:
    admin = caller(Role.ADMIN)
    write(Endpoint, "hosts", "7")
    admin.send("PATCH", "endpoints/chat", {"name": "Chat"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT hosts FROM routing_endpoint WHERE key = 'chat'")
        assert cursor.fetchone() == ("7",)
    assert admin.send("PATCH", "endpoints/chat", {"hosts": []}).status_code == 200
    assert admin.get("endpoints/chat").json()["broken"] == ""
