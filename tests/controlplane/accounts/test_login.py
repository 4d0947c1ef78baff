"""Logging in and out."""

import pytest
from django.test import Client

from controlplane.models import Role, User
from tests.visitors.roles import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _person(db: None) -> None:
    User.objects.create_user("olga", password="a good one", role=Role.APPROVER)


def test_the_right_password_leads_to_where_one_wanted_to_go() -> None:
    answer = Client().post("/login", {"username": "olga", "password": "a good one", "next": "/metrics"})
    assert (answer.status_code, answer["Location"]) == (302, "/metrics")


def test_a_wrong_password_is_told_and_the_name_stays() -> None:
    answer = Client().post("/login", {"username": "olga", "password": "a bad one"})
    page = answer.content.decode()
    assert "Please enter a correct username and password" in page
    assert 'value="olga"' in page


def test_a_login_never_leads_to_another_site() -> None:
    answer = Client().post(
        "/login", {"username": "olga", "password": "a good one", "next": "https://elsewhere.example"}
    )
    assert answer["Location"] == "/"


def test_a_refresh_in_the_background_reloads_the_page_once_logged_out() -> None:
    answer = Client().get("/edges", headers={"HX-Request": "true"}, follow=True)
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (200, "true", b"")


def test_logging_out_takes_a_button() -> None:
    browser = visitor(Role.VIEWER)
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout")["Location"] == "/login"
    assert browser.get("/").status_code == 302
