"""How many queries each list needs, whatever its length: a table that catches one query a row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from controlplane.accounts.tokens import issue_token
from controlplane.audit.actors import SLUICE
from controlplane.models import Role, User
from experiments.decide import Decision, DecisionKind
from experiments.lifecycle.append_decision import append_decision
from experiments.models import Analysis, Experiment, Metric
from routing.models import Backend, Edge, Endpoint, Erasure, Issuer, Layer, RoutingTable
from routing.resources.issue_key import issue_key
from routing.resources.register import register
from tests.factories.drafts import backend, draft, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller

pytestmark = pytest.mark.slow

KEYS = Signer().key_set()


def a_backend(number: int) -> None:
    """With one to fall back to."""
    made = Backend(key=f"backend-{number}", name="Backend", addresses=["http://127.0.0.1:9"], fallback=backend("last"))
    register(made, actor=SLUICE)


def an_endpoint(number: int) -> None:
    """With a backend and a standby of its own."""
    made = Endpoint(key=f"endpoint-{number}", name="Endpoint", path_prefix=f"/endpoint-{number}")
    made.backend, made.standby = backend(f"stable-{number}"), backend(f"standby-{number}")
    register(made, actor=SLUICE)


def a_layer(number: int) -> None:
    register(Layer(key=f"layer-{number}", name="Layer"), actor=SLUICE)
    endpoint(f"in-layer-{number}", layer=Layer.objects.get(key=f"layer-{number}"))


def an_issuer(number: int) -> None:
    key = f"login-{number}"
    register(Issuer(key=key, name="Login", issuer=f"https://{key}.example.com", key_set=KEYS), actor=SLUICE)


def an_access_key(number: int) -> None:
    issue_key(f"app-{number}", endpoints=[endpoint(f"for-key-{number}")], expires_at=None, actor=SLUICE)


def a_metric(number: int) -> None:
    about = {"type": "mean", "numerator": "requests", "direction": "increase"}
    Metric.objects.create(key=f"metric-{number}", name="Metric", **about)


def an_edge(number: int) -> None:
    Edge.objects.create(name=f"edge-{number}", seen_at=timezone.now())


def an_erasure(number: int) -> None:
    Erasure.objects.create(unit=number, asked_at=timezone.now(), by="ada", reason="asked for")


def a_token(number: int) -> None:
    issue_token(User.objects.get(), f"token-{number}", role=Role.VIEWER)


def a_table(number: int) -> None:
    RoutingTable.objects.create(version=number + 1, content="{}", digest=str(number), cause="test")


def an_experiment(number: int) -> None:
    draft(f"experiment-{number}", traffic=10)


def the_experiment() -> Experiment:
    return Experiment.objects.filter(key="watched").first() or draft("watched", traffic=10)


def an_analysis(number: int) -> None:
    Analysis.objects.create(
        experiment=the_experiment(),
        at=timezone.now(),
        look=False,
        stage_index=0,
        results={"metrics": []},
        evidence={},
        lake_version={},
        table_version=number,
        code_version="1",
    )


def a_decision(number: int) -> None:
    decision = Decision(DecisionKind.HOLD, f"reason-{number}", "Because.")
    append_decision(the_experiment(), decision, actor=SLUICE, at=timezone.now())


LISTS: dict[str, Callable[[int], None]] = {
    "backends": a_backend,
    "endpoints": an_endpoint,
    "layers": a_layer,
    "issuers": an_issuer,
    "access-keys": an_access_key,
    "metrics": a_metric,
    "experiments": an_experiment,
    "edges": an_edge,
    "erasures": an_erasure,
    "tokens": a_token,
    "routing-tables": a_table,
    "experiments/watched/analyses": an_analysis,
    "experiments/watched/decisions": a_decision,
}
"""Each list, and what adds a row to it."""


@pytest.mark.parametrize("path", LISTS)
def test_a_longer_list_needs_no_more_queries(path: str, operator: Caller) -> None:
    add = LISTS[path]
    add(0)
    operator.get(path)
    short, few = asked(path, operator)
    for number in range(1, 6):
        add(number)
    long, many = asked(path, operator)

    assert len(long) == len(short) + 5
    assert len(many) == len(few), "\n".join(many)


def asked(path: str, operator: Caller) -> tuple[list[Any], list[str]]:
    """The rows of a list, and the queries that it took."""
    with CaptureQueriesContext(connection) as context:
        answer = operator.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"], [query["sql"].partition(" WHERE ")[0] for query in context.captured_queries]
