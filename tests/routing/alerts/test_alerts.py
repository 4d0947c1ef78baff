"""What is wrong with edges is said, with what to do next."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.models import Role
from routing.alerts.current import alerts
from routing.models import Edge, RoutingTable
from routing.publishing.publish import publish
from tests.factories.drafts import endpoint
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

CUT = {
    "experiment": "canary",
    "variant": "new",
    "guard_round": 0,
    "time": "2026-01-01T00:00:00+00:00",
    "requests": 20,
    "failures": 15,
    "control_requests": 20,
    "control_failures": 0,
}


def edge(**changes: Any) -> Edge:
    """An edge that was heard when the newest table was made, and serves it."""
    newest = RoutingTable.objects.first()
    version, seen_at = (newest.version, newest.created_at) if newest else (0, timezone.now())
    return Edge.objects.create(**{"name": "local", "seen_at": seen_at, "applied_version": version, **changes})


def codes(of: Edge, seconds: float = 0.0) -> list[str]:
    """What is told so long after the edge was heard."""
    return [alert.code for alert in alerts(of.seen_at + timedelta(seconds=seconds))]


def test_a_healthy_edge_raises_none() -> None:
    endpoint()

    assert codes(edge(), seconds=6) == []


def test_a_silent_edge() -> None:
    silent = edge()

    assert codes(silent, seconds=10) == []
    assert codes(silent, seconds=11) == ["edge-silent"]


def test_an_edge_that_is_behind() -> None:
    endpoint()
    publish("test")
    behind = edge(applied_version=0)

    assert codes(behind) == codes(behind, seconds=5) == []
    assert codes(behind, seconds=6) == ["edge-behind"]


def test_an_edge_that_refuses_a_table_says_why() -> None:
    refusing = edge(error="Table 3 is not served. It lacks a credential.", healthy=False)

    [alert] = alerts(refusing.seen_at)
    assert (alert.code, alert.detail) == ("edge-refuses", "Table 3 is not served. It lacks a credential.")
    assert "It lacks a credential." in text(visitor(Role.VIEWER), "/edges")


def test_a_candidate_that_was_cut() -> None:
    [alert] = alerts(edge(cuts=[CUT]).seen_at)
    assert alert.detail == "Edge local ejected canary/new: 15 of its latest 20 requests failed."
