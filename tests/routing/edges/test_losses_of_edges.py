"""What edges tell is kept, also what their Redis has forgotten since."""

import json
from typing import Any

import pytest
import redis
from django.utils import timezone

from controlplane.models import Role
from routing import redis_keys
from routing.alerts.current import LOST_LATELY, alerts
from routing.edges.lost_rows import lost_by_variant, lost_rows, untold_since
from routing.edges.record_edges import record_edges
from routing.models import Edge
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def loss(rows: int | None, run: str = "one", variant: str = "control", **changes: Any) -> dict[str, Any]:
    moment = NOW.isoformat()
    origin = {"run": run, "backend": "stable", "experiment": "canary", "variant": variant}
    return {**origin, "rows": rows, "since": moment, "until": moment, **changes}


def beat(server: redis.Redis, *losses: dict[str, Any], edge: str = "local") -> None:
    server.sadd(redis_keys.EDGES, edge)
    server.hset(
        redis_keys.edge(edge),
        mapping={
            "name": edge,
            "zone": "eu",
            "applied_version": 1,
            "seen_at": NOW.isoformat(),
            "healthy": "1",
            "error": "",
            "losses": json.dumps(losses),
        },
    )
    record_edges(server)


def test_an_edge_that_tells_nothing_has_lost_nothing(redis_server: redis.Redis) -> None:
    beat(redis_server)
    assert Edge.objects.get().losses == []
    assert lost_rows(Edge.objects.get()) == []


def test_what_was_told_once_stays_and_grows(redis_server: redis.Redis) -> None:
    beat(redis_server, loss(3))
    beat(redis_server, loss(5), loss(2, variant="new"))
    beat(redis_server)
    beat(redis_server, loss(7, run="two"))

    assert lost_by_variant("canary") == {"control": 12, "new": 2}
    [lost] = lost_rows(Edge.objects.get())
    assert (lost.backend, lost.rows) == ("stable", 14)


def test_what_nobody_can_tell_is_told_apart(redis_server: redis.Redis) -> None:
    beat(redis_server, loss(None, backend="", experiment="", variant=""), edge="far")
    beat(redis_server, loss(4), edge="near")

    assert untold_since(NOW) == ["far"]
    assert untold_since(NOW + LOST_LATELY) == []
    assert lost_by_variant("canary") == {"control": 4}


def test_the_page_the_api_and_an_alert_say_so(redis_server: redis.Redis, viewer: Caller) -> None:
    beat(redis_server, loss(1918, backend="candidate"), loss(3))

    page = text(visitor(Role.VIEWER), "/edges")
    assert "1918 rows of candidate lost" in page
    assert "3 rows of stable lost" in page
    [edge] = viewer.get("edges").json()["results"]
    assert [(lost["backend"], lost["rows"]) for lost in edge["losses"]] == [("candidate", 1918), ("stable", 3)]
    [alert] = [alert for alert in alerts(NOW) if alert.code == "rows-lost"]
    assert alert.detail == "Edge local could not record answers: 1918 of candidate, 3 of stable."
    assert [alert for alert in alerts(NOW + LOST_LATELY) if alert.code == "rows-lost"] == []
