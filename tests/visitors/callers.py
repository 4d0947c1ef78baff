"""The people of every permission test: somebody unknown, one who may look, one who may act, one who may all."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.test import Client

from controlplane.accounts.tokens import issue_token
from controlplane.models import ACCOUNT_ROLES, Right, Role, User


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls the API, with a token or without."""

    client: Client

    def get(self, path: str) -> Any:
        """GET a path below `/api/v1/`."""
        return self.client.get(f"/api/v1/{path}")

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON to a path below `/api/v1/`."""
        return self.client.generic(method, f"/api/v1/{path}", _json(body), "application/json")


def caller(role: Role | None, scopes: Collection[Right] = ()) -> Caller:
    """Somebody with a token of that role, limited to the scopes; without a role, somebody unknown."""
    headers: dict[str, Any] = {}
    if role is not None:
        of_account = role if role in ACCOUNT_ROLES else Role.APPROVER
        user, _ = User.objects.get_or_create(username=role.value, defaults={"role": of_account})
        headers["authorization"] = f"Bearer {issue_token(user, 'test', role=role, scopes=scopes)}"
    return Caller(Client(headers=headers, raise_request_exception=False))


def _json(body: object) -> str | bytes:
    return body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
