"""What is wrong with edges is said, with what to do next."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.models import Role
from routing.actions.publish import publish
from routing.alerts import alerts
from routing.models import Edge, RoutingTable
from tests.controlplane.views.visitors import text, visitor
from tests.experiments.drafts import endpoint

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


def edge(**changes: Any) -> None:
    newest = RoutingTable.objects.first()
    version = newest.version if newest else 0
    Edge.objects.create(**{"name": "local", "seen_at": timezone.now(), "applied_version": version, **changes})


def codes(seconds: float = 0.0) -> list[str]:
    return [alert.code for alert in alerts(timezone.now() + timedelta(seconds=seconds))]


def test_a_healthy_edge_raises_none() -> None:
    endpoint()
    edge()

    assert codes(seconds=6) == []


def test_a_silent_edge() -> None:
    edge()

    assert codes(seconds=11) == ["edge-silent"]


def test_an_edge_that_is_behind() -> None:
    endpoint()
    publish("test")
    edge(applied_version=0)

    assert codes() == []
    assert codes(seconds=6) == ["edge-behind"]


def test_an_edge_that_refuses_a_table_says_why() -> None:
    edge(error="Table 3 is not served. It lacks a credential.", healthy=False)

    [alert] = alerts(timezone.now())
    assert (alert.code, alert.detail) == ("edge-refuses", "Table 3 is not served. It lacks a credential.")
    assert "It lacks a credential." in text(visitor(Role.VIEWER), "/edges")


def test_a_candidate_that_was_cut() -> None:
    edge(cuts=[CUT])

    [alert] = alerts(timezone.now())
    assert alert.detail == "Edge local took canary/new out: 15 of its latest 20 requests failed."
