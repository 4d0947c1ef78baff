"""JSON Web Tokens at the edge: Envoy verifies them; the keys' script decides whether one was needed."""

from routing.envoy.names import HTTP_FILTERS, TOKENS, Message
from routing.table import Endpoint, Issuer, Table

# Where the claims of a verified token are, in the metadata of Envoy's filter.
CLAIMS = "claims"

# And there, why a token was not verified.
FAILED = "failed"


def tokens(table: Table) -> Message:
    """The filter's configuration: all issuers. One that is named by no route verifies nothing."""
    return {
        "providers": {issuer.key: _provider(issuer) for issuer in table.issuers},
        "requirement_map": {issuer.key: _if_any(issuer) for issuer in table.issuers},
    }


def token_filter(endpoint: Endpoint) -> Message:
    """Whose tokens are verified on an endpoint's routes; nothing where none are taken."""
    if endpoint.access is None or endpoint.access.issuer is None:
        return {}
    return {
        TOKENS: {
            "@type": f"{HTTP_FILTERS}.jwt_authn.v3.PerRouteConfig",
            "requirement_name": endpoint.access.issuer,
        }
    }


def _provider(issuer: Issuer) -> Message:
    return {
        "issuer": issuer.issuer,
        "audiences": list(issuer.audiences),
        "local_jwks": {"inline_string": issuer.key_set},
        "payload_in_metadata": CLAIMS,
        "failed_status_in_metadata": FAILED,
        "require_expiration": True,
    }


def _if_any(issuer: Issuer) -> Message:
    """A token that is missing or wrong is no refusal yet: there may be a key."""
    return {"requires_any": {"requirements": [{"provider_name": issuer.key}, {"allow_missing_or_failed": {}}]}}
