"""What came to an endpoint lately, by REST and on its page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from controlplane.models import Role
from routing.lake.schema import REQUESTS
from tests.factories.drafts import endpoint
from tests.factories.rows import request_row, store
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    endpoint()
    return own_lake


def fill(lake: str) -> None:
    time = (timezone.now() - timedelta(minutes=1)).isoformat()
    nobody = {"unit": None, "experiment": None, "variant": None, "without_unit": "not-json"}
    rows = [request_row(f"r{n}", time=time, result="success", **(nobody if n < 3 else {})) for n in range(4)]
    store(lake, REQUESTS, [*rows, request_row("failed", time=time, result="failed", failure="no-answer")])


def test_the_share_without_a_unit_is_told_with_its_causes(lake: str, viewer: Caller) -> None:
    fill(lake)

    said = viewer.get("endpoints/chat/traffic").json()

    assert (said["requests"], said["share_without_unit"], said["without_unit"]) == (5, 0.6, {"not-json": 3})
    assert (said["results"], said["failures"]) == ({"success": 4, "failed": 1}, {"no-answer": 1})


def test_before_the_first_request_nothing_is_told(viewer: Caller) -> None:
    assert viewer.get("endpoints/chat/traffic").json()["requests"] == 0


def test_somebody_unknown_is_told_nothing(stranger: Caller, viewer: Caller) -> None:
    assert stranger.get("endpoints/chat/traffic").status_code == 401
    assert viewer.get("endpoints/unheard-of/traffic").status_code == 404


def test_the_page_says_it_in_words(lake: str) -> None:
    fill(lake)

    html = text(visitor(Role.VIEWER), "/endpoints/chat")

    assert "<strong>60 %</strong> of the 5 requests" in html
    assert "a body that is not sent as JSON" in html
    assert "Status 200, and no answer" in html
