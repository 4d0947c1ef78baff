"""Routing tables on their pages."""

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.models import Role
from tests.factories.drafts import backend
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _tables(db: None) -> None:
    backend("stable")
    backend("candidate")


def test_versions_are_listed_newest_first_with_their_cause() -> None:
    page = text(visitor(Role.VIEWER), "/routing-tables")
    assert page.index("Version 2") < page.index("Version 1")
    assert "sluice registered backend candidate" in page


def test_a_version_shows_what_changed_since_the_one_before() -> None:
    page = text(visitor(Role.VIEWER), "/routing-tables/2")
    assert '<span class="removed">-  &quot;version&quot;: 1</span>' in page
    assert '<span class="added">+      &quot;key&quot;: &quot;candidate&quot;,</span>' in page
    assert '<span class="added">+      &quot;key&quot;: &quot;stable&quot;,</span>' not in page


def test_the_first_version_has_nothing_to_be_compared_with() -> None:
    page = text(visitor(Role.VIEWER), "/routing-tables/1")
    assert "What changed" not in page
    assert "/routing-tables/2" in page


def test_many_versions_take_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(10):
        backend(f"spare-{number}")
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(7):
        text(browser, "/routing-tables")
