"""Give a workload a token of minutes for the JWT that its platform gave it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from controlplane.accounts.issuer_keys import key_of
from controlplane.accounts.present_person import present_person
from controlplane.accounts.tokens import issue_token
from controlplane.accounts.workload_claims import UnusableClaimsError, claims_of, issuer_of
from controlplane.audit.actors import actor_of
from controlplane.audit.record import record
from controlplane.models import Right, Role, Token, User
from controlplane.problems.errors import InvalidInput, NotAllowed
from controlplane.settings import get_environment
from controlplane.settings.workloads import WorkloadRule
from controlplane.storage.races import beside_others

KEPT = timedelta(days=1)
"""How long a token is still listed that ended by itself; the audit trail keeps all of them."""


def exchange_workload(text: str) -> tuple[str, datetime, WorkloadRule]:
    """The token, when it ends, and the first rule that the JWT meets.

    Raises `InvalidInput` for a JWT that is not valid, `NotAllowed` where no rule takes it or its account may not do
    what the rule says, and `Unavailable` while the issuer's keys cannot be read.
    """
    claims = _verified(text)
    rule = next((rule for rule in get_environment().workload_rules if rule.takes(claims)), None)
    if rule is None:
        raise _no_rule()
    owner = User.objects.filter(username=rule.account, is_active=True).first()
    if owner is None:
        detail = f"The rule that this JWT meets gives tokens of {rule.account}, who has no account."
        raise NotAllowed("account-missing", detail, next_step="Ask an admin to invite the account.")
    return *_issued(owner, rule, claims), rule


def _issued(owner: User, rule: WorkloadRule, claims: Mapping[str, Any]) -> tuple[str, datetime]:
    actor, scopes = actor_of(owner), [Right(scope) for scope in rule.scopes]
    for right in scopes:
        actor.require_anywhere(right)
    now = timezone.now()
    ends, workload = now + timedelta(minutes=rule.minutes), str(claims.get("sub", ""))[:200]
    told = {"issuer": rule.issuer, "sub": workload, **rule.claims, "scopes": rule.scopes, "endpoints": rule.endpoints}
    limits: dict[str, Any] = {"scopes": scopes, "endpoints": rule.endpoints, "expires_at": ends}
    name = workload[:100] or "workload"
    with beside_others():
        present_person(owner)
        Token.objects.filter(user=owner, expires_at__lt=now - KEPT).exclude(workload="").delete()
        secret = issue_token(owner, name, role=Role(owner.role), workload=workload or name, **limits)
        record(actor, "exchange", "token", name, after=told)
    return secret, ends


def _verified(text: str) -> Mapping[str, Any]:
    rules = get_environment().workload_rules
    try:
        issuer = issuer_of(text)
        audiences = {rule.audience for rule in rules if rule.issuer == issuer}
        # Nobody has Sluice ask an issuer that no rule names.
        if not audiences:
            raise _no_rule()
        return claims_of(text, issuer=issuer, audiences=audiences, keys=key_of)
    except UnusableClaimsError as error:
        raise InvalidInput(
            "jwt-unusable", f"The JWT is not valid: {error}.", next_step="Have the platform issue a new one."
        ) from error


def _no_rule() -> NotAllowed:
    return NotAllowed(
        "workload-unknown",
        "No rule gives a token to a workload whose JWT says this.",
        next_step="Ask who runs Sluice for a rule in SLUICE_WORKLOAD_RULES.",
    )
