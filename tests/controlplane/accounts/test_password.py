"""A changed password: whose sessions end, and what becomes of the tokens."""

import io

import pytest
from django.core.management import call_command
from django.test import Client

from controlplane.accounts.change_password import change_password
from controlplane.accounts.tokens import find_token, issue_token
from controlplane.audit.actors import Actor
from controlplane.models import AuditEvent, Role, User
from controlplane.problems.errors import NotAllowed
from tests.visitors.pages import opened
from tests.visitors.roles import text

pytestmark = pytest.mark.django_db

OLD, NEW = "a good long one", "another good one"


@pytest.fixture
def olga() -> User:
    return User.objects.create_user("olga", password=OLD, role=Role.VIEWER)


@pytest.fixture
def secret(olga: User) -> str:
    return issue_token(olga, "nightly", role=Role.VIEWER)


def logged_in() -> Client:
    browser = Client()
    assert browser.login(username="olga", password=OLD)
    return browser


def change(browser: Client, **typed: str | None) -> str:
    fields = opened(browser, "/password")
    fields |= {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    sent = {name: value for name, value in (fields | typed).items() if value is not None}
    return browser.post("/password", sent, follow=True).content.decode()


@pytest.mark.usefixtures("redis_server")
def test_tokens_and_other_sessions_end_with_it_unless_told_otherwise(secret: str) -> None:
    here, elsewhere = logged_in(), logged_in()
    assert "1 of your tokens were revoked" in change(here)
    assert find_token(secret) is None
    assert text(here, "/tokens")
    assert elsewhere.get("/tokens").status_code == 302
    assert Client().login(username="olga", password=NEW)
    event = AuditEvent.objects.get(verb="change-password")
    assert (event.actor, event.object_key, len(event.after["revoked"])) == ("olga", "olga", 1)
    assert AuditEvent.objects.filter(verb="revoke", object_type="token", object_key="nightly").exists()


@pytest.mark.usefixtures("redis_server")
def test_tokens_go_on_where_the_person_says_so(secret: str) -> None:
    assert "Your tokens go on" in change(logged_in(), revoke=None)
    assert find_token(secret) is not None


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"old_password": "a wrong one"}, "Your old password was entered incorrectly"),
        ({"new_password2": "a third one"}, "didn’t match"),
        ({"new_password1": "password", "new_password2": "password"}, "too common"),
    ],
)
def test_what_is_refused_changes_nothing(secret: str, typed: dict[str, str | None], told: str) -> None:
    assert told in change(logged_in(), **typed)
    assert Client().login(username="olga", password=OLD)
    assert find_token(secret) is not None
    assert not AuditEvent.objects.exists()


@pytest.mark.usefixtures("redis_server")
def test_whoever_finds_an_open_session_cannot_go_on_guessing_the_password(olga: User) -> None:
    browser = logged_in()
    for _ in range(10):
        assert browser.post("/password", {"old_password": "a guess"}).status_code == 200
    right = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/password", right).status_code == 429
    olga.refresh_from_db()
    assert olga.check_password(OLD)


@pytest.mark.usefixtures("redis_server", "olga")
def test_beyond_the_limit_nothing_is_told_of_what_was_typed() -> None:
    browser = logged_in()
    for _ in range(10):
        browser.post("/password", {"old_password": "a guess"})
    new = {"new_password1": "password", "new_password2": "another"}
    wrong, right = (browser.post("/password", {"old_password": old, **new}) for old in ("a guess", OLD))
    assert (wrong.status_code, wrong["Retry-After"]) == (429, "900")
    assert wrong.context["form"].errors == right.context["form"].errors
    assert list(right.context["form"].errors) == ["__all__"]
    assert "too many attempts" in right.content.decode()


def test_nobody_but_an_admin_changes_that_of_another(olga: User) -> None:
    with pytest.raises(NotAllowed, match="needs the right admin"):
        change_password(olga, NEW, revoke=True, actor=Actor("otto", Role.APPROVER))
    change_password(olga, NEW, revoke=True, actor=Actor("ada", Role.ADMIN))
    assert olga.check_password(NEW)


@pytest.mark.parametrize("keep", [True, False])
def test_the_command_ends_tokens_unless_told_otherwise(
    secret: str, keep: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = logged_in()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NEW}\n"))
    call_command("changepassword", "olga", keep_tokens=keep)
    assert ("Their tokens go on" if keep else "1 of their tokens were revoked") in capsys.readouterr().out
    assert (find_token(secret) is not None) is keep
    assert browser.get("/tokens").status_code == 302


@pytest.mark.usefixtures("olga")
@pytest.mark.parametrize(
    ("name", "password", "told"), [("otto", NEW, "There is nobody called otto"), ("olga", "short", "too short")]
)
def test_the_command_says_what_it_refuses(
    name: str, password: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    with pytest.raises(SystemExit):
        call_command("changepassword", name)
    assert told in capsys.readouterr().err
