"""Edges on their page."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from controlplane.models import Role
from routing.models import Edge
from tests.factories.drafts import backend
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


NOW = timezone.now()


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.views.edge_pages.timezone", SimpleNamespace(now=lambda: NOW))


def edge(**changes: Any) -> None:
    values = {"zone": "local", "applied_version": 1, "applied_at": NOW, "seen_at": NOW, "healthy": True}
    Edge.objects.create(name="frankfurt", **{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({}, "Healthy"),
        ({"applied_version": 0, "applied_at": None}, "Behind"),
        ({"healthy": False, "error": "Envoy does not answer."}, "Unhealthy"),
        ({"seen_at": NOW - timedelta(minutes=40)}, "Silent"),
    ],
)
def test_the_health_of_an_edge_is_said_in_one_word(changes: dict[str, Any], health: str) -> None:
    backend("stable")
    edge(**changes)
    page = text(visitor(Role.VIEWER), "/edges")
    words = [word for word in ("Healthy", "Behind", "Unhealthy", "Silent") if f">{word}</span>" in page]
    assert words == [health]


def test_an_edge_says_what_is_wrong_and_how_long_ago_it_was_heard() -> None:
    edge(error="Envoy does not answer.", seen_at=NOW - timedelta(minutes=40))
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


def test_a_silent_edge_is_retired_by_a_button_and_one_that_reports_has_none() -> None:
    edge()
    assert "Retire" not in text(visitor(Role.APPROVER), "/edges").partition("<tbody>")[2]
    Edge.objects.update(name="frankfurt-1.example.com/a", seen_at=timezone.now() - timedelta(minutes=40))
    assert "Retire frankfurt" not in text(visitor(Role.VIEWER), "/edges")
    browser = visitor(Role.APPROVER)
    page = text(browser, "/edges")
    [path] = re.findall(r'action="(/edges/[^"]+/retire)"', page)
    assert "Edge frankfurt-1.example.com/a is retired." in browser.post(path, follow=True).content.decode()
    assert not Edge.objects.exists()


def test_a_viewer_retires_no_edge() -> None:
    edge(seen_at=timezone.now() - timedelta(minutes=40))
    assert visitor(Role.VIEWER).post("/edges/frankfurt/retire").status_code == 403
    assert Edge.objects.exists()


def test_what_cannot_be_read_of_an_edge_is_on_its_page() -> None:
    edge(unread="cuts.0.requests: Input should be a valid integer")
    assert "reports what this release cannot read: cuts.0.requests" in text(visitor(Role.VIEWER), "/edges")
