"""Where a token may be used from, and that the audit trail names it."""

import pytest
from django.test import Client

from controlplane.accounts.tokens import issue_token
from controlplane.models import AuditEvent, Role, Token, User
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited() -> Caller:
    olga = User.objects.create_user("olga", role=Role.APPROVER)
    secret = issue_token(olga, "nightly", networks=["10.0.0.0/8", "2001:db8::/32"])
    return Caller(Client(headers={"authorization": f"Bearer {secret}"}))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.9.8.7", 200),
        ("198.51.100.1, 10.9.8.7", 200),
        ("2001:db8::7", 200),
        ("::ffff:10.9.8.7", 200),
        ("10.9.8.7, 198.51.100.1", 401),
        ("11.0.0.1", 401),
        ("nonsense", 401),
    ],
)
def test_a_token_opens_nothing_from_elsewhere(limited: Caller, address: str, status: int) -> None:
    answer = limited.client.get("/api/v1/backends", headers={"x-forwarded-for": address})
    assert answer.status_code == status
    if status == 401:
        assert "This token may be used from 10.0.0.0/8, 2001:db8::/32, not from" in answer.json()["detail"]


def test_the_audit_trail_names_the_token(operator: Caller) -> None:
    operator.send("POST", "layers", {"key": "shop", "name": "Shop"})
    assert AuditEvent.objects.filter(object_key="shop").get().token == str(Token.objects.get())
    browser = Client()
    browser.force_login(User.objects.get())
    browser.post("/layers/shop/edit", {"key": "shop", "name": "Other", "holdout": "0", "version": "1"})
    assert AuditEvent.objects.filter(object_key="shop").first().token == ""  # type: ignore[union-attr]
    assert str(Token.objects.get()) in browser.get("/audit").content.decode()
