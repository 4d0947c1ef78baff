"""Backends on their pages."""

import re
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Role
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from routing.models import Backend, RoutingTable
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors import pages
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

TYPED = {
    "key": "chat-v2",
    "name": "Chat, second",
    "protocol": "openai",
    "addresses": "http://10.0.0.5:8000\r\n\r\n  http://10.0.0.6:8000\r\n",
    "health_path": "/health",
    "prompt_price": "0.5",
    "completion_price": "1.5",
    "registry_reference": "",
}


def send(path: str, **changes: Any) -> str:
    answer = visitor(Role.APPROVER).post(path, {**TYPED, **changes}, follow=True)
    return answer.content.decode()


def test_what_is_typed_is_registered_and_published() -> None:
    assert "Backend chat-v2 is registered." in send("/backends/new")
    assert Backend.objects.get(key="chat-v2").addresses == ["http://10.0.0.5:8000", "http://10.0.0.6:8000"]
    assert "chat-v2" in RoutingTable.objects.get().content
    assert AuditEvent.objects.get().actor == "approver"


def test_the_space_before_a_credential_stays_as_it_is_sent(operator: Caller) -> None:
    send("/backends/new", credential_prefix="Key ")
    assert Backend.objects.get(key="chat-v2").credential_prefix == "Key "
    operator.send("PATCH", "backends/chat-v2", {"credential_prefix": "Token "})
    assert operator.get("backends/chat-v2").json()["credential_prefix"] == "Token "


def test_a_box_to_check_stands_beside_its_words() -> None:
    page = text(visitor(Role.APPROVER), "/backends/new")
    [label] = re.findall(r'<label[^>]* for="id_http2">(.*?)</label>', page, re.DOTALL)
    assert re.fullmatch(r'<input type="checkbox"[^>]*> HTTP/2', label)


def test_addresses_are_shown_one_a_line() -> None:
    send("/backends/new")
    assert "http://10.0.0.5:8000\nhttp://10.0.0.6:8000</textarea>" in text(
        visitor(Role.APPROVER), "/backends/chat-v2/edit"
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": "Chat V2"}, "Use lower-case letters"),
        ({"addresses": " \r\n "}, "This field is required."),
        ({"prompt_price": "-1"}, "greater than or equal to 0"),
        ({"protocol": "telepathy"}, "Select a valid choice"),
        ({"addresses": "nonsense"}, "nonsense"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_typed_is_lost(changes: dict[str, str], problem: str) -> None:
    page = send("/backends/new", **changes)
    assert problem in page
    assert 'value="Chat, second"' in page
    assert not Backend.objects.exists()
    assert not RoutingTable.objects.exists()


def test_a_change_keeps_the_key() -> None:
    send("/backends/new")
    typed = {"key": "other", "name": "Chat, renamed"}
    assert "is changed" in pages.send(visitor(Role.APPROVER), "/backends/chat-v2/edit", **typed)
    assert Backend.objects.get().key == "chat-v2"
    assert Backend.objects.get().name == "Chat, renamed"


def test_a_backend_in_use_is_kept_and_the_reason_said() -> None:
    endpoint()
    page = visitor(Role.APPROVER).post("/backends/stable/delete", follow=True).content.decode()
    assert "The backend stable is used by chat." in page
    assert Backend.objects.filter(key="stable").exists()


def test_a_backend_that_nothing_uses_is_removed_after_a_question() -> None:
    backend("spare")
    browser = visitor(Role.APPROVER)
    assert "Remove the backend" in text(browser, "/backends/spare/delete")
    assert "Backend spare is removed." in browser.post("/backends/spare/delete", follow=True).content.decode()
    assert not Backend.objects.exists()


def test_many_backends_take_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(12):
        backend(f"spare-{number}")
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(7):
        text(browser, "/backends")


def test_one_that_ended_experiments_used_is_retired_after_a_question_and_restored() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    browser = visitor(Role.APPROVER)
    assert "It is still used by" in text(browser, "/backends/candidate/retire")
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    assert "Retire candidate</button>" in text(browser, "/backends/candidate/retire")
    after = browser.post("/backends/candidate/retire", follow=True).content.decode()
    assert "Backend candidate is retired." in after
    assert 'aria-label="Restore candidate"' in after
    assert 'aria-label="Edit candidate"' not in after
    for form in ("/endpoints/new", "/endpoints/chat/edit", "/backends/stable/edit", "/experiments/new"):
        assert "candidate</option>" not in text(browser, form)
        assert "(candidate)" not in text(browser, form)
    assert "It is retired since" in text(browser, "/backends/candidate/edit")
    assert "candidate" in text(browser, "/experiments/canary")
    back = browser.post("/backends/candidate/restore", follow=True).content.decode()
    assert "Backend candidate can be used again." in back
    assert "candidate</option>" in text(browser, "/endpoints/new")


def test_a_viewer_retires_nothing() -> None:
    backend("spare")
    browser = visitor(Role.VIEWER)
    assert browser.post("/backends/spare/retire").status_code == 403
    assert browser.post("/backends/spare/restore").status_code == 403
    assert Backend.objects.get().retired_at is None
    assert "/backends/spare/retire" not in text(browser, "/backends")
