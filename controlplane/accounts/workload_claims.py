"""What the JWT of a workload says, once its signature, its times and its audience hold."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import jwt

ALGORITHMS = ["RS256", "ES256"]
REQUIRED = ["iss", "aud", "exp", "iat", "nbf"]
CLOCK_SECONDS = 30
"""How far clocks may differ."""

Keys = Callable[[str, str], Mapping[str, Any] | None]


class UnusableClaimsError(Exception):
    """Why nothing that it says counts."""


def issuer_of(token: str) -> str:
    """Who it says has signed it, which is not checked. Raises `UnusableClaimsError`."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.InvalidTokenError as error:
        raise UnusableClaimsError(str(error)) from error


def claims_of(token: str, *, issuer: str, audiences: Collection[str], keys: Keys) -> Mapping[str, Any]:
    """What it says. `keys` finds the key of an issuer by its name. Raises `UnusableClaimsError`."""
    try:
        name = jwt.get_unverified_header(token).get("kid")
        found = keys(issuer, name) if isinstance(name, str) else None
        if found is None:
            raise UnusableClaimsError(f"{issuer} has no key of the name that it carries")
        claims: Mapping[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(dict(found)),
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=list(audiences),
            leeway=CLOCK_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise UnusableClaimsError(str(error)) from error
    return claims
