"""Who may call an endpoint, and as whom an edge calls a backend."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credential:
    """What a backend is called with: a header that holds `prefix` and the secret of this name.

    The secret itself lies in a file of that name on each edge; no table holds it.
    """

    secret: str
    header: str = "authorization"
    prefix: str = "Bearer "


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An API key by its client's name and the SHA-256, in hexadecimal, of the key."""

    client: str
    digest: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs JSON Web Tokens: the `iss` claim, the audiences that are taken (none: any), and the public keys.

    `key_set` is a JSON Web Key Set as JSON text.
    """

    key: str
    issuer: str
    audiences: tuple[str, ...]
    key_set: str


@dataclass(frozen=True, slots=True)
class Access:
    """Only those with one of these keys, or with a token of this issuer, may call the endpoint."""

    keys: tuple[AccessKey, ...] = ()
    issuer: str | None = None
