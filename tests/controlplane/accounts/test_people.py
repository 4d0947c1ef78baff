"""People: invited by a link, changed, deactivated, let in again."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client

from controlplane.accounts.tokens import find_token, issue_token
from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Right, Role, User
from experiments.actions.start import start
from tests.factories.drafts import draft, endpoint
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

PASSWORD = "a good long one"


def invited(admin: Client, **typed: object) -> str:
    """The link that somebody new gets."""
    page = admin.post("/people", {"username": "olga", "role": "editor", **typed}).content.decode()
    return link_in(page)


def link_in(page: str) -> str:
    [link] = re.findall(r"http://testserver(/join/[^<\s]+)", page)
    return str(link)


def set_password(link: str, password: str = PASSWORD) -> int:
    return Client().post(link, {"new_password1": password, "new_password2": password}).status_code


def olga() -> User:
    return User.objects.get(username="olga")


def test_whoever_is_invited_sets_a_password_once_and_logs_in() -> None:
    endpoint()
    admin = visitor(Role.ADMIN)
    link = invited(admin, endpoints=["chat"])
    assert (olga().role, olga().endpoints, olga().has_usable_password()) == ("editor", ["chat"], False)
    assert "Invited" in text(admin, "/people")
    assert link not in text(admin, "/people")
    assert "Welcome, olga" in text(Client(), link)
    for refused in ("password", "", "1" * 7):
        assert set_password(link, refused) == 200
    assert set_password(link) == 302
    assert Client().login(username="olga", password=PASSWORD)
    assert set_password(link, "another good one") == 404
    assert "works no more" in text(Client(), link, status=404)
    assert AuditEvent.objects.get(verb="invite").after == {"role": "editor", "endpoints": ["chat"]}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"username": "Admin"}, "There is somebody called Admin already"),
        ({"username": "Sluice"}, "There is somebody called Sluice already"),
        ({"username": "with a space"}, "Enter a valid username"),
        ({"role": "sender"}, "Select a valid choice"),
        ({"role": "admin", "endpoints": ["chat"]}, "belong to no endpoint"),
    ],
)
def test_nobody_is_invited_who_would_not_be_right(typed: dict[str, object], told: str) -> None:
    endpoint()
    admin = visitor(Role.ADMIN)
    page = admin.post("/people", {"username": "olga", "role": "editor", **typed}).content.decode()
    assert told in page
    assert User.objects.count() == 1


def test_a_changed_role_holds_at_once_for_tokens_too() -> None:
    admin = visitor(Role.ADMIN)
    invited(admin, role="approver")
    secret = issue_token(olga(), "pipeline")
    bearer = Client(headers={"authorization": f"Bearer {secret}"})
    assert bearer.get("/api/v1/backends").status_code == 200
    assert admin.post("/people/olga/edit", {"role": "viewer"}).status_code == 302
    assert olga().role == "viewer"
    metric = {"key": "new", "name": "New", "type": "mean", "numerator": "requests", "direction": "increase"}
    refused = bearer.post("/api/v1/metrics", metric, content_type="application/json")
    assert refused.json()["detail"] == "olga has the role viewer, and this needs the right plan."
    event = AuditEvent.objects.get(verb="change", object_type="account")
    assert (event.before["role"], event.after["role"]) == ("approver", "viewer")


def test_who_is_deactivated_is_out_at_once_and_comes_in_again() -> None:
    admin = visitor(Role.ADMIN)
    set_password(invited(admin))
    browser, secret = Client(), issue_token(olga(), "nightly")
    browser.login(username="olga", password=PASSWORD)
    assert browser.get("/tokens").status_code == 200
    admin.post("/people/olga/active")
    assert "Deactivated" in text(admin, "/people")
    assert browser.get("/tokens").status_code == 302
    assert not Client().login(username="olga", password=PASSWORD)
    assert find_token(secret) is None
    admin.post("/people/olga/active")
    assert Client().login(username="olga", password=PASSWORD)
    verbs = AuditEvent.objects.filter(object_type="account", object_key="olga").values_list("verb", flat=True)
    assert {"deactivate", "activate"} <= set(verbs)


@pytest.mark.parametrize("revoke", [True, False])
def test_a_password_that_is_taken_ends_sessions_and_tokens_unless_told_otherwise(revoke: bool) -> None:
    admin = visitor(Role.ADMIN)
    set_password(invited(admin))
    browser, secret = Client(), issue_token(olga(), "nightly")
    browser.login(username="olga", password=PASSWORD)
    assert "checked" in text(admin, "/people/olga/link")
    sent = {"csrfmiddlewaretoken": "x", **({"revoke": "on"} if revoke else {})}
    link = link_in(admin.post("/people/olga/link", sent).content.decode())
    assert browser.get("/tokens").status_code == 302
    assert not Client().login(username="olga", password=PASSWORD)
    assert (find_token(secret) is None) is revoke
    assert set_password(link, "another good one") == 302
    assert Client().login(username="olga", password="another good one")


@pytest.mark.parametrize("path", ["/people/admin/edit", "/people/admin/link", "/people/admin/active"])
def test_nobody_takes_away_their_own_right_to_manage_accounts(path: str) -> None:
    admin = visitor(Role.ADMIN)
    page = admin.post(path, {"role": "viewer", "csrfmiddlewaretoken": "x"}, follow=True).content.decode()
    assert "Nobody changes what they may do themselves" in page
    user = User.objects.get(username="admin")
    assert (user.role, user.is_active) == ("admin", True)


@pytest.mark.usefixtures("redis_server")
def test_a_person_of_some_endpoints_looks_at_everything_and_acts_on_these() -> None:
    for key in ("chat", "other"):
        endpoint(key)
        start(draft(f"on-{key}", endpoint=key, traffic=10), actor=SLUICE)
    User.objects.create_user("otto", role=Role.APPROVER, endpoints=["chat"])
    browser = Client()
    browser.force_login(User.objects.get(username="otto"))
    assert text(browser, "/experiments/on-other")
    refused = browser.post("/experiments/on-other/halt", {"reason": "looks wrong"}, follow=True).content.decode()
    assert "otto is limited to the endpoints chat, and this belongs to the endpoint other." in refused
    assert (
        "Halted." in browser.post("/experiments/on-chat/halt", {"reason": "looks wrong"}, follow=True).content.decode()
    )
    page = browser.post("/kill-switch", {"reason": "looks wrong"}, follow=True).content.decode()
    assert "belongs to no endpoint alone" in page


def test_operators_of_before_keep_their_rights_as_approvers() -> None:
    otto = User.objects.create_user("otto", role=Role.OPERATOR)
    for role in (Role.OPERATOR, Role.VIEWER, Role.SENDER):
        issue_token(otto, role.value, role=role)
    import_module("controlplane.migrations.0008_roles").keep_rights(apps, None)
    otto.refresh_from_db()
    assert otto.role == "approver"
    assert dict(otto.tokens.values_list("name", "role")) == {
        "operator": "approver",
        "viewer": "viewer",
        "sender": "sender",
    }
    assert set(Role.APPROVER.rights) == set(Right) - {Right.ADMIN}
