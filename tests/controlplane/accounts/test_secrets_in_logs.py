"""What opens an account stands in no line of the log, whoever writes it."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from controlplane.accounts.tokens import issue_token
from controlplane.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the process writes to its log."""
    written = io.StringIO()
    handlers: list[Any] = logging.getLogger().handlers
    [handler] = [handler for handler in handlers if isinstance(handler.formatter, ProcessorFormatter)]
    monkeypatch.setattr(handler, "stream", written)
    return written


@pytest.fixture
def olga() -> User:
    return User.objects.create_user("olga", password="a good long one")


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("bent", ["{}", "{}/", "{}/more", "\N{LATIN SMALL LETTER E WITH ACUTE}{}", "{},"])
def test_an_invitation_that_is_not_found_is_cut(olga: User, log: io.StringIO, bent: str) -> None:
    token = default_token_generator.make_token(olga)
    assert Client().get(f"/join/{olga.pk + 1}/{bent.format(token)}").status_code == 404
    assert token not in log.getvalue()
    assert "Not Found: /join/[cut]" in events(log)


def test_an_invitation_that_is_refused_is_cut(olga: User, log: io.StringIO) -> None:
    token = default_token_generator.make_token(olga)
    assert Client(enforce_csrf_checks=True).post(f"/join/{olga.pk}/{token}").status_code == 403
    assert token not in log.getvalue()
    assert "Forbidden (CSRF cookie not set.): /join/[cut]" in events(log)


def test_of_a_token_in_a_path_only_the_start_is_written(olga: User, log: io.StringIO) -> None:
    token = issue_token(olga, "nightly")
    scheme, prefix, secret = token.split("_")
    Client().get(f"/{token}")
    assert secret not in log.getvalue()
    assert f"Not Found: /{scheme}_{prefix}_[cut]" in events(log)


def test_fields_and_tracebacks_are_cut_too(log: io.StringIO) -> None:
    try:
        raise ValueError("/join/2/c1x-abc")
    except ValueError:
        structlog.get_logger("tests").exception("it failed", seen={"paths": ["https://sluice/join/2/c1x-abc"]})
    assert "it failed" in events(log)
    # The field, the line of the program, and the error.
    assert log.getvalue().count("/join/[cut]") == 3
    assert log.getvalue().count("c1x-abc") == 0
    assert "c1x-abc" not in json.dumps(json.loads(log.getvalue())["seen"])
