"""Access keys over REST."""

import json

import pytest

from routing.models import AccessKey
from tests.factories.drafts import endpoint
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db


def test_a_key_is_in_one_answer_and_in_no_other(operator: Caller) -> None:
    endpoint()
    issued = operator.send("POST", "access-keys", {"client": "mobile", "endpoints": ["chat"]})
    key = json.loads(issued.content)["key"]

    listed = operator.send("GET", "access-keys")

    assert (issued.status_code, listed.status_code) == (201, 200)
    [found] = json.loads(listed.content)["results"]
    assert (found["client"], found["endpoints"], found["prefix"]) == ("mobile", ["chat"], key[:10])
    assert key not in listed.content.decode()


@pytest.mark.usefixtures("redis_server")
def test_a_key_is_revoked_and_stays_on_record(operator: Caller) -> None:
    operator.send("POST", "access-keys", {"client": "mobile"})
    pk = AccessKey.objects.get().pk

    assert operator.send("DELETE", f"access-keys/{pk}").status_code == 204
    assert operator.send("DELETE", f"access-keys/{pk}").status_code == 409
    assert AccessKey.objects.get().revoked_at is not None


def test_a_key_is_for_tests_where_that_is_asked_for(operator: Caller) -> None:
    operator.send("POST", "access-keys", {"client": "quality", "for_tests": True})
    operator.send("POST", "access-keys", {"client": "mobile"})

    listed = operator.send("GET", "access-keys").json()["results"]

    assert {key["client"]: key["for_tests"] for key in listed} == {"quality": True, "mobile": False}
    assert operator.send("POST", "access-keys", {"client": "other", "for_tests": "on"}).status_code == 400


def test_an_endpoint_that_is_not_there_is_named(operator: Caller) -> None:
    refused = operator.send("POST", "access-keys", {"client": "mobile", "endpoints": ["gone"]})

    assert refused.status_code == 400
    assert "gone" in refused.content.decode()


@pytest.mark.parametrize("misspelt", [{"endpoint": "chat"}, {"expires": "2099-11-28T00:00:00Z"}])
def test_a_misspelt_limit_makes_no_key_without_it(operator: Caller, misspelt: dict[str, str]) -> None:
    refused = operator.send("POST", "access-keys", {"client": "partner", **misspelt})

    assert refused.status_code == 400
    assert next(iter(misspelt)) in refused.content.decode()
    assert not AccessKey.objects.exists()
