"""Keys are issued once, kept as hashes, and reach the routing table while they live."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, InvalidInput, NotAllowed
from routing.models import AccessKey, Backend, Endpoint, Entrance, Issuer
from routing.publishing.newest_table import desired_table
from routing.resources.edit import edit
from routing.resources.issue_key import issue_key, revoke_key
from routing.resources.register import register
from routing.table import Access, Credential, RateLimit, RateLimitScope
from routing.table import Issuer as TableIssuer
from tests.factories.drafts import backend, endpoint
from tests.factories.tokens import Signer

pytestmark = pytest.mark.django_db


@pytest.fixture
def keyed() -> Endpoint:
    chat = endpoint()
    edit(chat, {"entrance": Entrance.KEY}, actor=SLUICE)
    return chat


def access() -> Access | None:
    return desired_table(version=1).endpoints[0].access


def digests() -> list[str]:
    found = access()
    assert found is not None
    return [key.digest for key in found.keys]


def test_an_endpoint_is_open_unless_it_asks() -> None:
    endpoint()
    issue_key("mobile", endpoints=[], expires_at=None, actor=SLUICE)

    assert access() is None


def test_a_key_opens_all_that_ask_unless_it_names_some(keyed: Endpoint) -> None:
    other = endpoint("other")
    everywhere = issue_key("mobile", endpoints=[], expires_at=None, actor=SLUICE)
    here = issue_key("batch", endpoints=[keyed], expires_at=None, actor=SLUICE)
    issue_key("elsewhere", endpoints=[other], expires_at=None, actor=SLUICE)

    assert digests() == [sha256(key.encode()).hexdigest() for key in (everywhere, here)]


def test_a_key_is_kept_as_its_hash_alone(keyed: Endpoint) -> None:
    key = issue_key("mobile", endpoints=[], expires_at=None, actor=SLUICE)

    kept = AccessKey.objects.get()
    assert len(key) > 40
    assert key.startswith(kept.prefix)
    assert key not in str(list(AccessKey.objects.values())) + str(list(AuditEvent.objects.values()))


def test_a_key_that_is_revoked_or_expired_opens_nothing(keyed: Endpoint) -> None:
    issue_key("mobile", endpoints=[], expires_at=timezone.now() - timedelta(seconds=1), actor=SLUICE)
    issue_key("batch", endpoints=[], expires_at=timezone.now() + timedelta(hours=1), actor=SLUICE)
    assert len(digests()) == 1
    revoke_key(AccessKey.objects.get(client="batch"), actor=SLUICE)

    assert digests() == []
    with pytest.raises(Conflict):
        revoke_key(AccessKey.objects.get(client="batch"), actor=SLUICE)


def test_a_viewer_issues_no_key() -> None:
    with pytest.raises(NotAllowed):
        issue_key("mobile", endpoints=[], expires_at=None, actor=Actor("viewer", Role.VIEWER))


def test_tokens_of_an_issuer_are_taken() -> None:
    keys = Signer().key_set()
    issuer = Issuer(key="login", name="Login", issuer="https://login.example.com", audiences=["chat"], key_set=keys)
    register(issuer, actor=SLUICE)
    edit(endpoint(), {"entrance": Entrance.EITHER, "issuer": issuer}, actor=SLUICE)

    assert access() == Access((), "login")
    assert desired_table(version=1).issuers == (TableIssuer("login", issuer.issuer, ("chat",), keys),)


def test_a_key_set_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        register(Issuer(key="login", name="Login", issuer="x", key_set="secret"), actor=SLUICE)

    assert refusal.value.code == "key-set-invalid"
    assert not Issuer.objects.exists()


def test_limits_and_credentials_reach_the_table() -> None:
    limits = [{"requests": 10, "seconds": 60}, {"requests": 2, "seconds": 1, "per": "unit"}]
    edit(endpoint(), {"rate_limits": limits}, actor=SLUICE)
    edit(backend("stable"), {"credential_secret": "openai"}, actor=SLUICE)

    table = desired_table(version=1)
    assert table.endpoints[0].rate_limits == (RateLimit(10, 60), RateLimit(2, 1, RateLimitScope.UNIT))
    assert table.backends[0].credential == Credential("openai", "authorization", "Bearer ")
    assert Backend.objects.get(key="stable").credential_secret == "openai"


def test_a_limit_by_client_needs_clients() -> None:
    limits = [{"requests": 10, "seconds": 60, "per": "client"}]

    with pytest.raises(InvalidInput) as refusal:
        edit(endpoint(), {"rate_limits": limits}, actor=SLUICE)

    assert refusal.value.code == "rate-limit-anybody"
