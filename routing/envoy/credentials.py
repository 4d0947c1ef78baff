"""What backends are called with. Each host carries its own, so that a fallback gets its own and no other."""

from collections.abc import Iterable, Mapping

from routing.envoy.names import HOST_CREDENTIALS, HTTP_FILTERS, Message
from routing.table import Backend

UPSTREAM_CODEC = {
    "name": "codec",
    "typed_config": {"@type": f"{HTTP_FILTERS}.upstream_codec.v3.UpstreamCodec"},
}


def host_credentials(backend: Backend, secrets: Mapping[str, str]) -> Message:
    """The metadata of a host that holds what it is called with; nothing where the secret is not there."""
    credential = backend.credential
    if credential is None or credential.secret not in secrets:
        return {}
    return {HOST_CREDENTIALS: {credential.header: f"{credential.prefix}{secrets[credential.secret]}"}}


def health_credentials(backend: Backend, secrets: Mapping[str, str]) -> list[Message]:
    """The headers that health checks of a backend carry."""
    values = host_credentials(backend, secrets).get(HOST_CREDENTIALS, {})
    return [
        {"header": {"key": name, "value": value.replace("%", "%%")}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in values.items()
    ]


def credential_filters(backends: Iterable[Backend]) -> Message:
    """The filters that a request passes once its host is known; nothing where no backend has a credential."""
    headers = sorted({backend.credential.header for backend in backends if backend.credential is not None})
    if not headers:
        return {}
    mutations = {"request_mutations": [{"append": _from_host(header)} for header in headers]}
    kind = f"{HTTP_FILTERS}.header_mutation.v3.HeaderMutation"
    mutation = {"name": "credentials", "typed_config": {"@type": kind, "mutations": mutations}}
    return {"http_filters": [mutation, UPSTREAM_CODEC]}


def _from_host(header: str) -> Message:
    return {
        "header": {"key": header, "value": f"%UPSTREAM_METADATA({HOST_CREDENTIALS}:{header})%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        "keep_empty_value": False,
    }
