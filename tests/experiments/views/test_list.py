"""The home page."""

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.halt import halt_by_hand
from tests.experiments.views.findings import found, measured, planned, running
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


def test_an_empty_home_says_what_this_is_and_how_to_begin() -> None:
    page = text(visitor(Role.APPROVER), "/")
    assert "Sluice decides, with evidence" in page
    assert "<code>make demo</code>" in page
    assert 'href="/experiments/new">New experiment' in page


def test_a_viewer_is_not_invited_to_begin() -> None:
    assert "New experiment" not in text(visitor(Role.VIEWER), "/")


def test_each_experiment_says_where_it_stands_and_why() -> None:
    planned("waiting")
    running("going", traffic=10)
    stopped = running("stopped", traffic=10)
    halt_by_hand(stopped, actor=SLUICE, reason="it answers in Latin")
    page = text(visitor(Role.VIEWER), "/")
    for words in ("Not started.", "Just started; nothing is measured yet.", "it answers in Latin", "1 of 2 · 10 %"):
        assert words in page


@pytest.mark.parametrize(("group", "seen"), [("live", "going"), ("drafts", "waiting"), ("ended", "stopped")])
def test_the_list_can_be_narrowed(group: str, seen: str) -> None:
    planned("waiting")
    running("going", traffic=10)
    halt_by_hand(running("stopped", traffic=10), actor=SLUICE, reason="enough")
    page = text(visitor(Role.VIEWER), f"/?show={group}")
    assert [key for key in ("waiting", "going", "stopped") if f"/experiments/{key}" in page] == [seen]


def test_an_empty_group_offers_the_way_back() -> None:
    page = text(visitor(Role.VIEWER), "/?show=ended")
    assert "There are no experiments here." in page
    assert 'href="/"' in page


def test_a_refresh_answers_only_when_something_changed() -> None:
    experiment = running()
    browser = visitor(Role.VIEWER)
    page = text(browser, "/")
    address = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(address, headers={"HX-Request": "true"}).status_code == 204
    halt_by_hand(experiment, actor=SLUICE, reason="enough")
    changed = browser.get(address, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    assert "Halted" in changed.content.decode()
    assert "<html" not in changed.content.decode()


def test_an_empty_home_turns_into_the_list_by_itself() -> None:
    browser = visitor(Role.VIEWER)
    address = text(browser, "/").split('hx-get="')[1].split('"')[0]
    assert browser.get(address, headers={"HX-Request": "true"}).status_code == 204
    planned()
    assert browser.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_many_experiments_take_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        measured(running(f"number-{number}", traffic=10), found())
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(12):
        text(browser, "/")
