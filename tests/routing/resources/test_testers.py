"""Who may test an endpoint: nobody, until a key or a network is given; a key that is revoked counts no more."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from routing import table
from routing.models import AccessKey, Endpoint
from routing.publishing.newest_table import desired_table
from routing.publishing.wanted_table import ended
from routing.resources.edit import edit
from routing.resources.issue_key import issue_key, revoke_key
from tests.factories.drafts import endpoint

pytestmark = pytest.mark.django_db


def who_tests(place: int = 0) -> table.Testers:
    return desired_table(version=1).endpoints[place].testers


def issue(*endpoints: Endpoint, client: str = "quality", **options: bool) -> str:
    key = issue_key(client, endpoints=endpoints, expires_at=None, actor=SLUICE, **{"for_tests": True, **options})
    return sha256(key.encode()).hexdigest()


def test_nobody_tests_an_endpoint_until_somebody_is_named() -> None:
    endpoint()
    issue(client="mobile", for_tests=False)

    assert who_tests() == table.Testers()


def test_a_key_for_tests_counts_at_all_endpoints_unless_it_names_some() -> None:
    endpoint()
    search = endpoint("search")
    everywhere, there = issue(), issue(search)

    assert [[key.digest for key in who_tests(place).keys] for place in (0, 1)] == [[everywhere], [everywhere, there]]


@pytest.mark.usefixtures("redis_server")
def test_a_key_that_is_revoked_or_expired_counts_no_more() -> None:
    endpoint()
    issue_key("old", endpoints=[], expires_at=timezone.now() - timedelta(1), actor=SLUICE, for_tests=True)
    digest = issue()
    before = desired_table(version=1)
    assert [key.digest for key in before.endpoints[0].testers.keys] == [digest]

    revoke_key(AccessKey.objects.get(client="quality"), actor=SLUICE)

    assert who_tests().keys == ()
    assert ended(before) == [table.Brake(table.BrakeKind.KEY, digest)]
    assert table.apply_brakes(before, ended(before)).endpoints[0].testers.keys == ()


def test_networks_reach_the_table() -> None:
    edit(endpoint(), {"test_networks": ["10.0.0.0/8", "fd00::/8"]}, actor=SLUICE)

    assert who_tests().networks == ("10.0.0.0/8", "fd00::/8")


def test_the_audit_trail_tells_who_may_test() -> None:
    edit(endpoint(), {"test_networks": ["10.0.0.0/8"]}, actor=SLUICE)
    issue()

    changed, issued = AuditEvent.objects.filter(verb__in=["edit", "issue"]).order_by("pk")
    assert (changed.before["test_networks"], changed.after["test_networks"]) == ([], ["10.0.0.0/8"])
    assert issued.after["for_tests"] is True


@pytest.mark.parametrize(
    "network", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "", "10.0.0.0/8,10.1.0.0/16", "fe80::%1"]
)
def test_what_is_no_network_is_said_with_its_place(network: str) -> None:
    chat = endpoint()
    chat.test_networks = ["fd00::/8", network]

    with pytest.raises(ValidationError) as refusal:
        chat.full_clean()

    [sentence] = refusal.value.message_dict["test_networks"]
    assert sentence.startswith("entry 2: ")
    assert "Write it like `10.0.0.0/8`" in sentence
