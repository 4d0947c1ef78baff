"""From the backends of a routing table to Envoy's clusters.

A backend with a fallback is two clusters: its own hosts, and under its key an aggregate of these and the fallback's,
which are asked while none of its own is healthy.
"""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from routing.envoy.credentials import credential_filters, health_credentials, host_credentials
from routing.envoy.durations import duration
from routing.envoy.names import ANSWERER, HOST_FACTS, HTTP2, Message
from routing.envoy.shadows import shadow_cluster
from routing.protocols import PROTOCOLS, Question
from routing.table import Backend, Table

DEFAULT_PORTS = {"http": 80, "https": 443}
UNLIMITED = 1_000_000
GRPC_HEALTH = "/grpc.health.v1.Health/Check"
NO_SECRETS: Mapping[str, str] = MappingProxyType({})

# So much of what is under way may be a second attempt: a backend in trouble gets no avalanche of them.
RETRIED_PERCENT = 20

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
AGGREGATE = "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig"

# Otherwise a host that is not healthy is asked when none is, and never the fallback.
NO_PANIC = {"healthy_panic_threshold": {"value": 0}}

# Shorter than the keep-alive of the usual model servers (2 s and more): Envoy closes an idle connection
# before the server does, so that no request is sent into one that is just being closed.
IDLE_TIMEOUT = "1.5s"


def clusters(
    table: Table,
    *,
    retiring: Iterable[Backend] = (),
    certificates: str = "",
    secrets: Mapping[str, str] = NO_SECRETS,
    without_hosts: Collection[str] = (),
) -> Message:
    """The discovery response with the clusters of all backends; assumes a table without problems.

    `retiring` are backends that routes in use may still name; where the table has the same key, it counts.
    `certificates` is the path of the certificate authorities that backends with https are checked against; `secrets`
    are what backends are called with, by name. Backends `without_hosts` are not called: Envoy answers 503 in their
    place, or has their fallback answer.
    """
    backends = {backend.key: backend for backend in (*retiring, *table.backends)}
    retired = len(backends) - len(table.backends)
    machine = _Machine(certificates, secrets, without_hosts)
    version = f"{table.version}+{retired}" if retired else f"{table.version}"
    return {
        "version_info": " without ".join([version, *sorted(without_hosts)]),
        "resources": [{"@type": CLUSTER, **cluster} for cluster in _clusters(backends, machine)],
    }


@dataclass(frozen=True, slots=True)
class _Machine:
    """What lies on the machine of an edge."""

    certificates: str
    secrets: Mapping[str, str]
    without_hosts: Collection[str]


def _clusters(backends: Mapping[str, Backend], machine: _Machine) -> Iterator[Message]:
    yield shadow_cluster()
    for backend in backends.values():
        if backend.fallback is None:
            yield _cluster(backend.key, backend, machine)
        else:
            own = f"{backend.key}.own"
            yield {**_cluster(own, backend, machine), "common_lb_config": NO_PANIC}
            yield _aggregate(backend.key, [own, backend.fallback], [backend, backends[backend.fallback]])


def _aggregate(name: str, clusters: list[str], backends: list[Backend]) -> Message:
    """Envoy asks the first that has a healthy host."""
    return {
        "name": name,
        "connect_timeout": "3s",
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": {
            "name": "envoy.clusters.aggregate",
            "typed_config": {"@type": AGGREGATE, "clusters": clusters},
        },
        "common_lb_config": NO_PANIC,
        "typed_extension_protocol_options": _protocol_options(backends),
    }


def _cluster(name: str, backend: Backend, machine: _Machine) -> Message:
    if backend.key in machine.without_hosts:
        return _without_hosts(name, backend)
    addresses = [urlsplit(address) for address in backend.addresses]
    cluster: Message = {
        "name": name,
        **_discovery(addresses),
        "connect_timeout": duration(backend.connect_seconds),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_host(address, backend, machine) for address in addresses]}],
        },
        "health_checks": [_health_check(backend, machine)],
        "circuit_breakers": {"thresholds": [_breakers(backend)]},
        "outlier_detection": _outliers(backend),
        "upstream_connection_options": {"tcp_keepalive": {}},
        "typed_extension_protocol_options": _protocol_options([backend]),
    }
    if addresses[0].scheme == "https":
        cluster["transport_socket"] = _tls(machine.certificates)
    return cluster


def _without_hosts(name: str, backend: Backend) -> Message:
    """Without the options of a protocol too: Envoy takes none that TLS settles where there are no authorities."""
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": duration(backend.connect_seconds),
        "load_assignment": {"cluster_name": name},
    }


def _discovery(addresses: list[SplitResult]) -> Message:
    if all(_is_ip(address.hostname or "") for address in addresses):
        return {"type": "STATIC"}
    return {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(address: SplitResult, backend: Backend, machine: _Machine) -> Message:
    """A host tells which backend answered, what it speaks, and at which prices: right whatever a later table says."""
    port = address.port or DEFAULT_PORTS[address.scheme]
    facts = {
        "backend": backend.key,
        "protocol": backend.protocol,
        "prompt_price": backend.prompt_price,
        "completion_price": backend.completion_price,
    }
    # One text, which the access log has at a part of what a structure costs; each name and each value is a line.
    answerer = {ANSWERER: "\n".join(str(line) for fact in facts.items() for line in fact)}
    return {
        "metadata": {"filter_metadata": {HOST_FACTS: answerer, **host_credentials(backend, machine.secrets)}},
        "endpoint": {
            "address": {"socket_address": {"address": address.hostname, "port_value": port}},
            "health_check_config": {"hostname": address.hostname, **_health_port(backend)},
            "hostname": address.hostname,
        },
    }


def _health_check(backend: Backend, machine: _Machine) -> Message:
    """Looks every two seconds, also at backends without traffic."""
    return {
        "timeout": "1s",
        "interval": "2s",
        "no_traffic_interval": "2s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        **_how_to_ask(backend, machine),
    }


def _how_to_ask(backend: Backend, machine: _Machine) -> Message:
    """By gRPC's own health protocol where the path is its method, else by a GET."""
    if backend.http2 and backend.health_path == GRPC_HEALTH:
        return {"grpc_health_check": {}}
    return {
        "http_health_check": {
            "path": backend.health_path,
            "request_headers_to_add": [*_question_headers(backend), *health_credentials(backend, machine.secrets)],
            "codec_client_type": "HTTP2" if backend.http2 else "HTTP1",
            **_ready_text(backend),
        }
    }


def _outliers(backend: Backend) -> Message:
    """Leaves out a host that answers as if nothing were behind it, five times in a row; never the last one.

    An error of the model itself is no reason: one prompt may cause it on any host. With a fallback the last host may be
    left out too. That it calls itself healthy does not bring it back before its time: it did so all along.
    """
    return {
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_gateway_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "5s",
        "max_ejection_time": "60s",
        "successful_active_health_check_uneject_host": False,
        "max_ejection_percent": 100 if backend.fallback else 50,
    }


def _health_port(backend: Backend) -> Message:
    """Where a kind tells it elsewhere than it takes requests."""
    port = _question(backend).port
    return {} if port is None else {"port_value": port}


def _question_headers(backend: Backend) -> list[Message]:
    """The headers that a kind asks for with the question."""
    return [{"header": {"key": name, "value": value}} for name, value in _question(backend).headers]


def _ready_text(backend: Backend) -> Message:
    """What the body must hold where the status alone does not tell."""
    text = _question(backend).text
    return {"receive": [{"text": text.encode().hex()}]} if text else {}


def _question(backend: Backend) -> Question:
    return PROTOCOLS[backend.protocol].ready.asked_by(backend.health_path)


def _breakers(backend: Backend) -> Message:
    """Answers of models take long, so many are under way at once; Envoy's own limits are for short ones."""
    limits: Message = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), UNLIMITED)
    retries = {"budget_percent": {"value": RETRIED_PERCENT}, "min_retry_concurrency": 3}
    own = {"max_requests": backend.concurrency} if backend.concurrency else {}
    return {**limits, **own, "retry_budget": retries}


def _protocols(backends: Iterable[Backend]) -> Message:
    """HTTP/2 where a backend speaks it, by its own word or by what it says when TLS begins."""
    if any(backend.http2 for backend in backends):
        return {"explicit_http_config": {"http2_protocol_options": HTTP2}}
    if all(backend.addresses[0].lower().startswith("https:") for backend in backends):
        return {"auto_config": {"http_protocol_options": {}, "http2_protocol_options": HTTP2}}
    return {"explicit_http_config": {"http_protocol_options": {}}}


def _protocol_options(backends: Sequence[Backend]) -> Message:
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options = {
        "@type": f"type.googleapis.com/{kind}",
        "common_http_protocol_options": {"idle_timeout": IDLE_TIMEOUT},
        **_protocols(backends),
        **credential_filters(backends),
    }
    return {kind: options}


def _tls(certificates: str) -> Message:
    return {
        "name": "tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "auto_host_sni": True,
            "auto_sni_san_validation": True,
            "common_tls_context": {"validation_context": {"trusted_ca": {"filename": certificates}}},
        },
    }
