"""Edges on their page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.models import Role
from routing.models import Edge
from tests.controlplane.views.visitors import text, visitor
from tests.experiments.drafts import backend

pytestmark = pytest.mark.django_db


def edge(**changes: Any) -> None:
    now = timezone.now()
    values = {"zone": "local", "applied_version": 1, "applied_at": now, "seen_at": now, "healthy": True}
    Edge.objects.create(name="frankfurt", **{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({}, "Healthy"),
        ({"applied_version": 0, "applied_at": None}, "Behind"),
        ({"healthy": False, "error": "Envoy does not answer."}, "Unhealthy"),
        ({"seen_at": timezone.now() - timedelta(minutes=40)}, "Silent"),
    ],
)
def test_the_health_of_an_edge_is_said_in_one_word(changes: dict[str, Any], health: str) -> None:
    backend("stable")
    edge(**changes)
    page = text(visitor(Role.VIEWER), "/edges")
    words = [word for word in ("Healthy", "Behind", "Unhealthy", "Silent") if f">{word}</span>" in page]
    assert words == [health]


def test_an_edge_says_what_is_wrong_and_how_long_ago_it_was_heard() -> None:
    edge(error="Envoy does not answer.", seen_at=timezone.now() - timedelta(minutes=40))
    page = text(visitor(Role.VIEWER), "/edges").replace("\N{NO-BREAK SPACE}", " ")
    assert "Envoy does not answer." in page
    assert "40 minutes ago" in page


def test_a_refresh_gets_the_table_alone() -> None:
    edge()
    part = visitor(Role.VIEWER).get("/edges", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<table")
    assert "<html" not in part


def test_without_edges_the_page_says_how_one_comes() -> None:
    assert "No edge has reported yet" in text(visitor(Role.VIEWER), "/edges")
