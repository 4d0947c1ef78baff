"""Endpoints on their pages."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing.models import Endpoint
from routing.resources.edit import edit as edit_row
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors import pages
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


def edit(**typed: Any) -> str:
    return pages.send(visitor(Role.APPROVER), "/endpoints/chat/edit", **typed)


def register(**changes: Any) -> str:
    typed = {
        "key": "search",
        "name": "Search",
        "path_prefix": "/search",
        "backend": backend("stable").pk,
        "unit_source": "header",
        "unit_name": "x-user-id",
        "timeout_seconds": "60",
    }
    answer = visitor(Role.APPROVER).post("/endpoints/new", {**typed, **changes}, follow=True)
    return answer.content.decode()


def test_what_is_typed_is_registered_with_a_salt_of_its_own() -> None:
    endpoint()
    assert "Endpoint search is registered." in register()
    salts = Endpoint.objects.values_list("layer__salt", flat=True)
    assert len({*salts} - {""}) == 2


def test_a_path_that_is_taken_is_said() -> None:
    endpoint()
    assert "match the same requests" in register(path_prefix="/chat")
    assert Endpoint.objects.count() == 1


def test_users_of_a_running_experiment_are_not_moved() -> None:
    start(draft(), actor=SLUICE)
    page = edit(unit_name="x-session")
    assert "would move users between the variants of canary" in page
    assert Endpoint.objects.get().unit_name == "x-user-id"


def test_the_list_names_the_experiments_that_run() -> None:
    start(draft(), actor=SLUICE)
    assert '<a href="/experiments/canary">canary</a>' in text(visitor(Role.VIEWER), "/endpoints")


def test_an_endpoint_is_removed_after_a_question() -> None:
    endpoint()
    browser = visitor(Role.APPROVER)
    assert "get 404" in text(browser, "/endpoints/chat/delete")
    browser.post("/endpoints/chat/delete")
    assert not Endpoint.objects.exists()


def test_many_endpoints_take_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        endpoint(f"chat-{number}")
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(8):
        text(browser, "/endpoints")


def test_the_list_says_who_gets_what() -> None:
    rule = {"key": "german", "conditions": ["x-country is DE"], "backend": "stable"}
    edit_row(endpoint(standby="warm"), {"headers": {"x-prompt": "v1"}, "rules": [rule]}, actor=SLUICE)
    page = text(visitor(Role.VIEWER), "/endpoints")
    assert '<span class="key">stable with x-prompt: v1</span>' in page
    assert "where x-country is DE" in text(visitor(Role.VIEWER), "/endpoints/chat")
    assert 'by rule <span class="key">german</span>: x-country is DE' in page
