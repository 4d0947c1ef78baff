"""Who calls the API: the owner of a bearer token, or the person of the session."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from controlplane.accounts.client_address import client_address, is_within
from controlplane.accounts.tokens import find_token
from controlplane.audit.actors import Actor, actor_of
from controlplane.models import Right, Role, Token, User
from controlplane.problems.used_token import note_token

SCHEME = "bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer slc_…`."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        """The token's user and the token; None when the request carries no bearer token."""
        words = get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() != SCHEME:
            return None
        token = find_token(words[1]) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        address = client_address(request)
        if token.networks and not is_within(address, token.networks):
            raise AuthenticationFailed(f"This token may be used from {', '.join(token.networks)}, not from {address}.")
        note_token(str(token))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


def request_actor(request: Request) -> Actor:
    """The actor behind an authenticated API request; a token's own role and scopes narrow that of its user."""
    assert isinstance(request.user, User)  # noqa: S101 - the permission class lets nobody else through
    if not isinstance(request.auth, Token):
        return actor_of(request.user)
    # What this release does not know is no right of anybody.
    scopes = frozenset(Right(scope) for scope in request.auth.scopes if scope in Right.values)
    limited = scopes if request.auth.scopes else None
    endpoints = endpoints_of(request)
    return actor_of(request.user, token_role=Role(request.auth.role), scopes=limited, endpoints=endpoints)


def endpoints_of(request: Request) -> frozenset[str] | None:
    """The endpoints that the token is limited to, which it sees nothing beyond; None where it is not."""
    named = request.auth.endpoints if isinstance(request.auth, Token) else []
    return frozenset(named) or None
