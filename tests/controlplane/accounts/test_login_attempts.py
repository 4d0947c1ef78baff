"""Attempts to log in are counted by account and address: nobody guesses for long, and nobody locks another out."""

from typing import Any

import pytest
import redis
from django.test import Client, RequestFactory

from controlplane.accounts.login_attempts import address_of
from controlplane.models import Role, User

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"


@pytest.fixture(autouse=True)
def _people(db: None) -> None:
    for name in ("olga", "maria"):
        User.objects.create_user(name, password="a good one", role=Role.APPROVER)


def attempt(password: str, name: str = "olga", address: str = HERE) -> Any:
    headers = {"x-forwarded-for": address}
    return Client().post("/login", {"username": name, "password": password}, headers=headers)


@pytest.mark.usefixtures("redis_server")
def test_after_ten_attempts_no_password_is_looked_at() -> None:
    assert [attempt(f"guess {number}").status_code for number in range(10)] == [200] * 10
    refused = attempt("a good one")
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    page = refused.content.decode()
    assert "too many attempts to log in to this account from your address" in page
    assert 'value="olga"' in page


@pytest.mark.usefixtures("redis_server")
def test_others_log_in_to_the_account_and_from_the_address() -> None:
    for number in range(11):
        attempt(f"guess {number}")
    assert attempt("a good one", address=ELSEWHERE).status_code == 302
    assert attempt("a good one", name="maria").status_code == 302


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize(
    "spelling", [" olga", "  olga ", "\tolga", "\N{NO-BREAK SPACE}olga", "\uff4f\uff4c\uff47\uff41"]
)
def test_spellings_that_lead_to_one_account_are_counted_as_one(spelling: str) -> None:
    for number in range(10):
        attempt(f"guess {number}", name=("olga", spelling)[number % 2])
    assert attempt("a good one", name=spelling).status_code == 429
    assert attempt("a good one").status_code == 429


@pytest.mark.usefixtures("redis_server")
def test_who_logged_in_by_another_spelling_begins_anew() -> None:
    for _ in range(2):
        assert [attempt("a bad one").status_code for _ in range(9)] == [200] * 9
        assert attempt("a good one", name=" \uff4f\uff4c\uff47\uff41 ").status_code == 302


@pytest.mark.usefixtures("redis_server")
def test_an_address_that_a_client_makes_up_counts_for_nothing() -> None:
    for number in range(10):
        attempt("a guess", address=f"198.51.100.{number}, {HERE}")
    assert attempt("a good one", address=f"198.51.100.99, {HERE}").status_code == 429


@pytest.mark.usefixtures("redis_server")
def test_who_logged_in_begins_anew() -> None:
    for _ in range(2):
        assert [attempt("a bad one").status_code for _ in range(9)] == [200] * 9
        assert attempt("a good one").status_code == 302


def test_the_count_ends_with_the_window(redis_server: redis.Redis) -> None:
    attempt("a bad one")
    [key] = redis_server.keys("sluice:login:*")
    assert 0 < redis_server.ttl(key) <= 900
    redis_server.expire(key, 100)
    attempt("a bad one")
    assert redis_server.ttl(key) <= 100


def test_without_redis_who_has_the_password_gets_in() -> None:
    assert {attempt("a bad one").status_code for _ in range(12)} == {200}
    assert attempt("a good one").status_code == 302


@pytest.mark.parametrize(
    ("passed", "address"),
    [
        ("", "127.0.0.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("10.0.0.1, 203.0.113.7", "203.0.113.7"),
        # A proxy on this machine, which the front adds.
        ("203.0.113.7, 127.0.0.1", "203.0.113.7"),
        ("127.0.0.1", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_an_address_is_what_the_front_saw(passed: str, address: str) -> None:
    headers = {"x-forwarded-for": passed} if passed else {}
    assert address_of(RequestFactory().post("/login", headers=headers)) == address
