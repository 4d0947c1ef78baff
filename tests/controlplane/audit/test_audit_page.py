"""The audit trail on its page."""

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE, Actor
from controlplane.audit.record import record
from controlplane.models import Role
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _events(db: None) -> None:
    record(
        Actor("olga", Role.APPROVER),
        "halt",
        "experiment",
        "chat-v2",
        reason="looks <b>wrong</b>",
        after={"state": "halted"},
    )
    record(SLUICE, "advance", "experiment", "search-v2", reason="nothing is wrong")


@pytest.mark.parametrize(
    ("query", "seen", "hidden"),
    [
        ("", ["chat-v2", "search-v2"], []),
        ("?actor=olga", ["chat-v2"], ["search-v2"]),
        ("?verb=advance", ["search-v2"], ["chat-v2"]),
        ("?object_key=chat", ["chat-v2"], ["search-v2"]),
        ("?object_type=backend", ["Nothing matches this filter"], ["chat-v2", "search-v2"]),
    ],
)
def test_the_trail_can_be_narrowed(query: str, seen: list[str], hidden: list[str]) -> None:
    page = text(visitor(Role.VIEWER), f"/audit{query}")
    assert [word for word in seen if word not in page] == []
    assert [word for word in hidden if f">{word}<" in page] == []


def test_what_people_typed_is_text_and_never_markup() -> None:
    assert "looks &lt;b&gt;wrong&lt;/b&gt;" in text(visitor(Role.VIEWER), "/audit")


def test_older_events_are_on_further_pages_and_the_filter_stays() -> None:
    for number in range(60):
        record(SLUICE, "tick", "experiment", f"many-{number}")
    page = text(visitor(Role.VIEWER), "/audit?verb=tick")
    assert "Page 1 of 2" in page
    assert "?verb=tick&amp;page=2" in page
    assert "many-0<" in text(visitor(Role.VIEWER), "/audit?verb=tick&page=2")


def test_a_long_trail_takes_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(40):
        record(SLUICE, "tick", "experiment", f"many-{number}")
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(8):
        text(browser, "/audit")
