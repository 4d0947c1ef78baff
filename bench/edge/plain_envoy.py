"""Envoy as somebody would write it by hand who wants tokens accounted for and models routed, and no experiments.

It takes model and user from the request's body and usage from the answer, chooses the cluster by the model, and
writes one line of JSON a request: what Sluice does, without its splits.
"""

from typing import Any

TYPES = "type.googleapis.com/envoy"
MANAGER = f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
FILTERS = f"{TYPES}.extensions.filters.http"
FIELDS = "chat"
BODY_BYTES = 32 << 20

LINE = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "first_byte_us": "%COMMON_DURATION(DS_RX_BEG:US_RX_BODY_BEG:us)%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "chat": f"%DYNAMIC_METADATA({FIELDS})%",
    "kind": "%RESP(CONTENT-TYPE)%",
}

Message = dict[str, Any]


def configuration(port: int, admin_port: int, backend_port: int, log_file: str) -> Message:
    """The whole of it, without any discovery."""
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {"listeners": [_listener(port, log_file)], "clusters": [_cluster(backend_port)]},
    }


def _listener(port: int, log_file: str) -> Message:
    manager = {
        "@type": MANAGER,
        "stat_prefix": "plain",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": _routes()}]},
        "http_filters": [_body_fields(), _stream_fields(), _filter("router", "router.v3.Router")],
        "access_log": [_access_log(log_file)],
        "use_remote_address": True,
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "stream_idle_timeout": "60s",
    }
    return {
        "name": "plain",
        "address": _address(port),
        "per_connection_buffer_limit_bytes": BODY_BYTES,
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }


def _routes() -> list[Message]:
    by_model = {"filter": FIELDS, "path": [{"key": "model"}], "value": {"string_match": {"exact": "chat"}}}
    action = {"cluster": "model", "timeout": "60s", "auto_host_rewrite": True}
    nowhere = {"status": 404, "body": {"inline_string": "No such model."}}
    return [
        {"match": {"prefix": "/v1", "dynamic_metadata": [by_model]}, "route": action},
        {"match": {"prefix": "/"}, "direct_response": nowhere},
    ]


def _body_fields() -> Message:
    asked = {"rules": [_rule("model", "STRING", "model"), _rule("user", "STRING", "user")]}
    return _filter(
        "body",
        "json_to_metadata.v3.JsonToMetadata",
        request_rules=asked,
        response_rules={"rules": _usage()},
    )


def _stream_fields() -> Message:
    kind = f"{TYPES}.extensions.content_parsers.json.v3.JsonContentParser"
    parser = {"@type": kind, "rules": [{"rule": rule} for rule in _usage()]}
    rules = {"content_parser": {"name": "json", "typed_config": parser}, "max_event_size": 1 << 20}
    return _filter("stream", "sse_to_metadata.v3.SseToMetadata", response_rules=rules)


def _usage() -> list[Message]:
    return [_rule(key, "NUMBER", "usage", key) for key in ("prompt_tokens", "completion_tokens")]


def _rule(key: str, kind: str, *path: str) -> Message:
    target = {"metadata_namespace": FIELDS, "key": key, "type": kind}
    return {"selectors": [{"key": step} for step in path], "on_present": target}


def _filter(name: str, kind: str, **options: object) -> Message:
    return {"name": name, "typed_config": {"@type": f"{FILTERS}.{kind}", **options}}


def _access_log(path: str) -> Message:
    kind = f"{TYPES}.extensions.access_loggers.file.v3.FileAccessLog"
    return {"name": "log", "typed_config": {"@type": kind, "path": path, "log_format": {"json_format": LINE}}}


def _cluster(port: int) -> Message:
    host = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    return {
        "name": "model",
        "type": "STATIC",
        "connect_timeout": "3s",
        "load_assignment": {"cluster_name": "model", "endpoints": [host]},
        "circuit_breakers": {"thresholds": [{"max_connections": 10_000, "max_requests": 10_000}]},
    }


def _address(port: int) -> Message:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
