"""Public keys of those who sign the JWTs of workloads, asked of them once in a while."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from controlplane.problems.errors import Unavailable
from controlplane.web.http_client import read_json

KEPT_SECONDS = 600.0
AGAIN_SECONDS = 30.0
"""How long at least until an issuer is asked again for a key that it did not have."""

_kept: dict[str, tuple[float, list[Mapping[str, Any]]]] = {}


def key_of(issuer: str, name: str) -> Mapping[str, Any] | None:
    """The key of this name as a JSON Web Key; None where the issuer has none. Raises `Unavailable`."""
    at, keys = _kept.get(issuer, (-KEPT_SECONDS, []))
    found = _named(keys, name)
    age = time.monotonic() - at
    if age > KEPT_SECONDS or (found is None and age > AGAIN_SECONDS):
        keys = _ask(issuer)
        _kept[issuer] = (time.monotonic(), keys)
        found = _named(keys, name)
    return found


def forget_keys() -> None:
    """Ask again."""
    _kept.clear()


def _named(keys: list[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    return next((key for key in keys if key.get("kid") == name), None)


def _ask(issuer: str) -> list[Mapping[str, Any]]:
    told = _read(f"{issuer.rstrip('/')}/.well-known/openid-configuration", issuer)
    place = told.get("jwks_uri")
    if told.get("issuer") != issuer or not isinstance(place, str) or not _is_beside(issuer, place):
        raise _unusable(issuer, "what it says of itself leads elsewhere")
    keys = _read(place, issuer).get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _is_beside(issuer: str, place: str) -> bool:
    """Nobody has Sluice ask another place than the one that a rule names."""
    try:
        return urlsplit(place)[:2] == urlsplit(issuer)[:2]
    except ValueError:
        return False


def _read(url: str, issuer: str) -> Mapping[str, Any]:
    try:
        found = read_json(url)
    except (OSError, ValueError) as error:
        raise _unusable(issuer, str(error)) from error
    if not isinstance(found, dict):
        raise _unusable(issuer, "it answers no object")
    return found


def _unusable(issuer: str, why: str) -> Unavailable:
    return Unavailable(
        "issuer-unavailable", f"The keys of {issuer} cannot be read: {why}.", next_step="Try again in a moment."
    )
