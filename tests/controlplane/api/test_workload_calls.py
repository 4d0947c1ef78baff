"""A job of CI exchanges the JWT of its platform for a token of minutes."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.utils import timezone

from controlplane.accounts.issuer_keys import forget_keys
from controlplane.accounts.tokens import find_token, issue_token
from controlplane.models import AuditEvent, Right, Role, Token, User
from controlplane.settings.workloads import Scope, WorkloadRule
from tests.connections import environment
from tests.docs.pages import ROOT
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db

ISSUER = "https://token.actions.githubusercontent.com"
RULE = {
    "issuer": ISSUER,
    "audience": "sluice",
    "claims": {"repository": "acme/models", "ref": "refs/heads/main", "environment": "production"},
    "account": "ci",
    "scopes": ["read", "start"],
    "endpoints": ["chat"],
}
SIGNER, STRANGER = Signer("github"), Signer("github")


class Platform:
    """Who signs JWTs: what it answers, and how often it was asked."""

    def __init__(self) -> None:
        self.keys = SIGNER.key_set()
        self.asked: list[str] = []
        self.says: dict[str, Any] = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/.well-known/jwks"}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.says)
        return httpx.Response(200, text=self.keys)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    found = Platform()
    client = httpx.Client(transport=httpx.MockTransport(found.answer))
    monkeypatch.setattr(httpx, "stream", client.stream)
    User.objects.create_user("ci", role=Role.APPROVER)
    forget_keys()
    with environment(workload_rules=json.dumps([RULE])):
        yield found
    forget_keys()


def claims(**changes: Any) -> dict[str, Any]:
    """Of a job as GitHub documents them."""
    now = int(time.time())
    told = {
        "iss": ISSUER,
        "aud": "sluice",
        "sub": "repo:acme/models:environment:production",
        "repository": "acme/models",
        "ref": "refs/heads/main",
        "environment": "production",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


def exchange(text: str) -> Any:
    return Caller(Client()).send("POST", "auth/oidc", {"jwt": text})


@pytest.mark.usefixtures("platform")
def test_a_job_gets_a_token_of_minutes_with_the_scopes_of_its_rule() -> None:
    answer = exchange(SIGNER.token(claims()))
    assert answer.status_code == 201
    told = answer.json()
    assert (told["scopes"], told["endpoints"]) == (["read", "start"], ["chat"])
    token = find_token(told["token"])
    assert token is not None
    assert (token.user.username, token.scopes, token.endpoints) == ("ci", ["read", "start"], ["chat"])
    assert token.expires_at is not None
    assert timedelta(minutes=14) < token.expires_at - timezone.now() <= timedelta(minutes=15)
    event = AuditEvent.objects.get(verb="exchange")
    assert (event.actor, event.after["sub"]) == ("ci", "repo:acme/models:environment:production")
    bearer = Caller(Client(headers={"authorization": f"Bearer {told['token']}"}))
    assert bearer.get("experiments").status_code == 200
    again = bearer.send("POST", f"tokens/{token.prefix}/rotate", {})
    assert (again.status_code, again.json()["code"]) == (409, "token-of-workload")


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "acme/other"},
        {"ref": "refs/heads/feature"},
        {"environment": None},
        {"iss": "https://elsewhere.example"},
    ],
)
def test_other_jobs_get_none(platform: Platform, changes: dict[str, Any]) -> None:
    answer = exchange(SIGNER.token(claims(**changes)))
    assert (answer.status_code, answer.json()["code"]) == (403, "workload-unknown")
    assert not Token.objects.exists()
    assert not any("elsewhere" in url for url in platform.asked)


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    "text",
    [
        SIGNER.token(claims(exp=int(time.time()) - 60)),
        SIGNER.token(claims(nbf=int(time.time()) + 3600)),
        SIGNER.token(claims(iat=int(time.time()) + 3600)),
        SIGNER.token(claims(aud="another")),
        *(SIGNER.token(claims(**{name: None})) for name in ("exp", "nbf", "iat", "aud")),
        STRANGER.token(claims()),
        SIGNER.token(claims(), kid="another"),
        SIGNER.token(claims(), alg="RS512"),
        SIGNER.token(claims(), alg="none").rpartition(".")[0] + ".",
        jwt.encode(claims(), "k" * 32, algorithm="HS256", headers={"kid": "github"}),
        "no.jwt.at-all",
        "",
    ],
    ids=[
        *("expired", "not yet", "issued later", "another audience"),
        *("without exp", "without nbf", "without iat", "without aud"),
        *("another's key", "unknown key", "RS512", "none", "HS256", "nonsense", "empty"),
    ],
)
def test_what_is_not_valid_gets_none(text: str) -> None:
    assert exchange(text).status_code == 400
    assert not Token.objects.exists()


def test_es256_is_taken(platform: Platform) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    platform.keys = json.dumps({"keys": [{**public, "kid": "curve", "alg": "ES256"}]})
    text = jwt.encode(claims(), key, algorithm="ES256", headers={"kid": "curve"})
    assert exchange(text).status_code == 201


def test_keys_are_asked_for_once_and_again_for_one_that_is_new(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert exchange(SIGNER.token(claims())).status_code == 201
    assert len(platform.asked) == 2
    other = Signer("renewed")
    platform.keys = other.key_set()
    assert exchange(other.token(claims())).status_code == 400
    monkeypatch.setattr("controlplane.accounts.issuer_keys.AGAIN_SECONDS", 0.0)
    assert exchange(other.token(claims())).status_code == 201


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://elsewhere.example"},
        {"jwks_uri": "https://elsewhere.example/keys"},
        {"jwks_uri": ISSUER.replace("https", "http")},
        {"jwks_uri": "https://[nonsense"},
        {"jwks_uri": None},
    ],
)
def test_an_issuer_that_leads_elsewhere_is_not_followed(platform: Platform, says: dict[str, Any]) -> None:
    platform.says |= says
    answer = exchange(SIGNER.token(claims()))
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-unavailable")
    assert platform.asked == [f"{ISSUER}/.well-known/openid-configuration"]


@pytest.mark.usefixtures("platform")
def test_a_job_may_no_more_than_its_account() -> None:
    User.objects.update(role=Role.VIEWER)
    answer = exchange(SIGNER.token(claims()))
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")
    User.objects.update(is_active=False)
    assert exchange(SIGNER.token(claims())).json()["code"] == "account-missing"


@pytest.mark.usefixtures("platform")
def test_tokens_that_ended_are_cleared_away_but_for_those_that_people_made() -> None:
    yesterday = timezone.now() - timedelta(days=2)
    owner = User.objects.get()
    issue_token(owner, "mine", expires_at=yesterday)
    issue_token(owner, "job", expires_at=yesterday, workload="repo:acme/models")
    exchange(SIGNER.token(claims()))
    assert set(Token.objects.values_list("name", flat=True)) == {"mine", "repo:acme/models:environment:production"}


def test_scopes_of_rules_are_the_rights() -> None:
    assert get_args(Scope) == tuple(Right.values)


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": {"ref": "refs/heads/main"}},
        {"claims": {}},
        {"issuer": "http://token.example"},
        {"minutes": 61},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"accounts": "ci"},
    ],
)
def test_a_rule_that_would_let_strangers_in_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        WorkloadRule(**{**RULE, **changes})


def test_the_rules_that_the_page_shows_are_rules() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", (ROOT / "docs/rights.md").read_text(), re.DOTALL)
    github, gitlab = [WorkloadRule(**rule) for rule in json.loads(shown)]
    assert github.takes(claims())
    assert gitlab.takes({"iss": "https://gitlab.com", "aud": "sluice", "project_path": "acme/models", "ref": "main"})
