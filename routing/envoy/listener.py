"""The listeners: what Envoy does with every request and every copy of one, whatever the table says."""

from dataclasses import dataclass

from routing.envoy.access_log import access_log, row_counters
from routing.envoy.answers import answers_reader
from routing.envoy.explanation import explanation
from routing.envoy.fields import no_body_rules
from routing.envoy.gate import discovered_filters, retry_after
from routing.envoy.identity import identity
from routing.envoy.local_replies import local_replies
from routing.envoy.names import (
    ADDRESS_FIELDS,
    ARM_FACTS,
    BODY_FIELDS,
    BODY_LIMIT,
    HTTP2,
    HTTP_FILTERS,
    KEYS,
    LIMITS,
    MODEL_FACTS,
    PARAMETERS,
    READ,
    RETRY,
    ROUTE_FACTS,
    ROUTES,
    SALT,
    SHADOWS,
    STATISTICS_PREFIX,
    TOKENS,
    UNIT,
    Message,
)
from routing.envoy.own_cookie import own_cookie
from routing.envoy.testers import testers_gate
from routing.table import LARGEST_BODY

LARGEST_HEADERS_KB = 60

# However little by little a request comes, and a connection without one is kept open.
REQUEST_SECONDS = 600
IDLE_SECONDS = 300

# Envoy lets clients with internal addresses choose request ids and steer it by headers. Here nobody is internal.
NOBODY = {"address_prefix": "255.255.255.255", "prefix_len": 32}


@dataclass(frozen=True, slots=True)
class Files:
    """Paths of what Envoy reads again whenever it is replaced, of its access log, and of its admin socket."""

    clusters: str
    routes: str
    shadows: str
    tokens: str
    keys: str
    limits: str
    access_log: str
    admin: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of a certificate with its chain and of its private key, both PEM; Envoy sees when they are replaced."""

    chain: str
    private_key: str


def listener(host: str, port: int, files: Files, certificate: Certificate | None = None) -> Message:
    """The listener for users, with TLS where it has a certificate."""
    filters = _filters(gate=discovered_filters({TOKENS: files.tokens, KEYS: files.keys, LIMITS: files.limits}))
    config = _connection_manager(filters, ROUTES, files.routes, files.access_log)
    manager = {"name": "manager", "typed_config": {**config, "local_reply_config": local_replies()}}
    secure = {"transport_socket": _tls(certificate)} if certificate else {}
    return {
        "name": "edge",
        "address": {"socket_address": {"address": host, "port_value": port}},
        "per_connection_buffer_limit_bytes": LARGEST_BODY,
        "filter_chains": [{"filters": [manager], **secure}],
    }


def shadow_listener(files: Files) -> Message:
    """The listener for copies, which only Envoy itself can reach; a copy keeps the request's id."""
    manager = _connection_manager(_filters(gate={}), SHADOWS, files.shadows, files.access_log)
    manager |= {"stat_prefix": SHADOWS, "preserve_external_request_id": True, "use_remote_address": False}
    return {
        "name": SHADOWS,
        "internal_listener": {},
        "per_connection_buffer_limit_bytes": LARGEST_BODY,
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }


def _tls(certificate: Certificate) -> Message:
    files = {
        "certificate_chain": {"filename": certificate.chain},
        "private_key": {"filename": certificate.private_key},
        "watched_directory": {"path": certificate.chain.rpartition("/")[0] or "/"},
    }
    return {
        "name": "tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [files],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "alpn_protocols": ["h2", "http/1.1"],
            },
        },
    }


def _connection_manager(filters: list[Message], routes: str, routes_file: str, log_file: str) -> Message:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": STATISTICS_PREFIX,
        "rds": {
            "route_config_name": routes,
            "config_source": {"path_config_source": {"path": routes_file}, "resource_api_version": "V3"},
        },
        "http_filters": filters,
        "access_log": [access_log(log_file), row_counters()],
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [NOBODY]},
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http2_protocol_options": HTTP2,
        "max_request_headers_kb": LARGEST_HEADERS_KB,
        "server_header_transformation": "PASS_THROUGH",
        "common_http_protocol_options": {"idle_timeout": f"{IDLE_SECONDS}s"},
        "request_headers_timeout": "30s",
        "request_timeout": f"{REQUEST_SECONDS}s",
        "stream_idle_timeout": "60s",
    }


def _filters(gate: dict[str, Message]) -> list[Message]:
    """What each does with a request is said by its route; a filter without words there does nothing.

    The unit is looked for behind the gate, as a token's claim may hold it, and before the limits, which count by unit.
    """
    body_fields = _filter(BODY_FIELDS, "json_to_metadata.v3.JsonToMetadata", request_rules=no_body_rules())
    entrance = [gate[TOKENS], gate[KEYS], testers_gate()] if gate else []
    retry = _filter(RETRY, "header_mutation.v3.HeaderMutation", **retry_after())
    limited = [{**retry, "disabled": True}, gate[LIMITS]] if gate else []
    return [
        _filter(ROUTE_FACTS, "set_metadata.v3.Config"),
        _filter(ADDRESS_FIELDS, "header_to_metadata.v3.Config"),
        {**_filter(BODY_LIMIT, "buffer.v3.Buffer", max_request_bytes=LARGEST_BODY), "disabled": True},
        {**body_fields, "disabled": True},
        {**_filter(READ, "set_filter_state.v3.Config", clear_route_cache=True), "disabled": True},
        _filter(MODEL_FACTS, "set_metadata.v3.Config"),
        *entrance,
        _filter(UNIT, "set_filter_state.v3.Config"),
        identity(),
        _filter(SALT, "set_filter_state.v3.Config", clear_route_cache=True),
        *limited,
        _filter(ARM_FACTS, "set_metadata.v3.Config"),
        _filter(PARAMETERS, "header_mutation.v3.HeaderMutation"),
        answers_reader(),
        explanation(),
        own_cookie(),
        _filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def _filter(name: str, kind: str, **options: object) -> Message:
    return {"name": name, "typed_config": {"@type": f"{HTTP_FILTERS}.{kind}", **options}}
