"""The front: an Envoy before the web app, which reads each request whole before a thread of the app sees it.

Who sends a request by halves, or reads an answer slowly, costs the front a few kilobytes and the app nothing. Each such
connection ends after a stated time, however little by little it goes on.
"""

from dataclasses import dataclass
from pathlib import Path
from socket import SOCK_STREAM, getaddrinfo

from controlplane.problems.problem import Problem
from controlplane.problems.request_limits import LARGEST_BODY
from routing.edge.state.files import write_json
from routing.envoy import Message
from routing.envoy.bootstrap import LOG_LINE, limited_to
from routing.envoy.local_replies.conditions import all_of, has_header, status
from routing.envoy.names import HTTP_FILTERS

FILE_NAME = "front.json"
SOCKET_NAME = "web.sock"

LARGEST_HEADERS_KB = 60


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds a connection ends: without a request, and at each part of one."""

    idle: int = 20
    headers: int = 10
    request: int = 30
    answer: int = 60
    """From the end of the request."""
    exchange: int = 120
    """From the first byte of the request to the last of its answer."""


PATIENCE = Patience()

# An answer of this size leaves the app at once, however slowly its client reads.
BUFFERED_BYTES = 16 << 20

# gunicorn keeps a connection for longer, so that it never closes one that a request is being sent on.
APP_IDLE_SECONDS = 10

MOST_CONNECTIONS = 20_000

# What is no client's: the log, connections to the app.
OWN_FILES = 256

LOOPBACK = (("127.0.0.1", 32), ("::1", 128))
EXTENSIONS = "type.googleapis.com/envoy.extensions"
PROBLEM_JSON = "application/problem+json"


READ_THE_LOG = "Try again; if it lasts, read the log `web.log`."
PROBLEMS = {
    status: Problem.of_status(status, code, detail, next_step)
    for status, code, detail, next_step in (
        (400, "bad-request", "This is not valid HTTP.", "Send a valid HTTP request."),
        (408, "request-timeout", "The request did not arrive.", f"Send all of it within {PATIENCE.request} seconds."),
        (
            413,
            "request-too-large",
            "The request is too large.",
            f"Send at most {LARGEST_BODY} bytes, or several requests.",
        ),
        (
            431,
            "headers-too-large",
            "The headers are too large.",
            f"Send less than {LARGEST_HEADERS_KB} KiB of headers.",
        ),
        (502, "web-app-broken", "The web app's answer is not valid HTTP.", READ_THE_LOG),
        (503, "web-app-away", "The web app does not answer.", READ_THE_LOG),
        (504, "web-app-slow", "The web app took too long.", "Ask for less, or try again."),
    )
}
"""What the front answers by itself."""


def write_front(
    directory: Path, sockets: Path, *, host: str, port: int, open_files: int, patience: Patience = PATIENCE
) -> None:
    """Write the front's configuration to `directory`, for the app's socket in `sockets` and so many open files."""
    connections = min(open_files - OWN_FILES, MOST_CONNECTIONS)
    address = {"socket_address": {"address": _numeric(host), "port_value": port}}
    write_json(directory / FILE_NAME, front(address, str(sockets / SOCKET_NAME), connections, patience))


def front(address: Message, socket: str, connections: int, patience: Patience) -> Message:
    """All of Envoy's configuration: from clients at `address` to the app at its socket.

    Of the connections that it holds at most, half are for this machine alone: whoever fills those of all others does
    not lock out who administers it here, or who comes through a proxy here.
    """
    share, manager = connections // 2, _connection_manager(patience)
    near = {"source_prefix_ranges": [{"address_prefix": address, "prefix_len": bits} for address, bits in LOOPBACK]}
    return {
        "application_log_config": {"log_format": {"json_format": LOG_LINE}},
        "overload_manager": limited_to(connections),
        "static_resources": {
            "listeners": [
                {
                    "name": "front",
                    "address": address,
                    "per_connection_buffer_limit_bytes": BUFFERED_BYTES,
                    "filter_chains": [
                        {"filter_chain_match": near, **_chain("near", share, {**manager, "xff_num_trusted_hops": 1})}
                    ],
                    "default_filter_chain": _chain("far", share, manager),
                }
            ],
            "clusters": [_app(socket)],
        },
    }


def _numeric(host: str) -> str:
    """The address of a name, which Envoy does not look up."""
    found = getaddrinfo(host.strip("[]"), None, type=SOCK_STREAM)
    return str(found[0][4][0])


def _chain(name: str, connections: int, manager: Message) -> Message:
    """What happens on a connection, of which there may be so many."""
    limit = {
        "@type": f"{EXTENSIONS}.filters.network.connection_limit.v3.ConnectionLimit",
        "stat_prefix": name,
        "max_connections": connections,
    }
    return {
        "name": name,
        "filters": [
            {"name": "limit", "typed_config": limit},
            {"name": "manager", "typed_config": {**manager, "stat_prefix": name}},
        ],
    }


def _connection_manager(patience: Patience) -> Message:
    """Whom X-Forwarded-Proto is believed is said by the chain: a proxy on this machine."""
    own_id = {"@type": f"{EXTENSIONS}.request_id.uuid.v3.UuidRequestIdConfig", "pack_trace_reason": False}
    body = {"@type": f"{HTTP_FILTERS}.buffer.v3.Buffer", "max_request_bytes": LARGEST_BODY}
    router = {"@type": f"{HTTP_FILTERS}.router.v3.Router", "suppress_envoy_headers": True}
    return {
        "@type": f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "codec_type": "HTTP1",
        "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": "localhost"},
        "route_config": {"virtual_hosts": [{"name": "app", "domains": ["*"], "routes": [_route(patience)]}]},
        "http_filters": [{"name": "body", "typed_config": body}, {"name": "router", "typed_config": router}],
        "local_reply_config": {"mappers": [reply for code in PROBLEMS for reply in _replies(code)]},
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        # The caller's id is what the audit trail names.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {"typed_config": own_id},
        "max_request_headers_kb": LARGEST_HEADERS_KB,
        "common_http_protocol_options": {
            "idle_timeout": f"{patience.idle}s",
            "max_stream_duration": f"{patience.exchange}s",
        },
        "request_headers_timeout": f"{patience.headers}s",
        "request_timeout": f"{patience.request}s",
        "stream_idle_timeout": f"{patience.exchange}s",
    }


def _route(patience: Patience) -> Message:
    """Everything goes to the app; what surely never reached it is sent again."""
    again = {"retry_on": "connect-failure,reset-before-request", "num_retries": 3}
    return {
        "match": {"prefix": "/"},
        "route": {"cluster": "app", "timeout": f"{patience.answer}s", "retry_policy": again},
    }


def _app(socket: str) -> Message:
    options = {
        "@type": f"{EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": f"{APP_IDLE_SECONDS}s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    host = {"endpoint": {"address": {"pipe": {"path": socket}}}}
    return {
        "name": "app",
        "type": "STATIC",
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": BUFFERED_BYTES,
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {"cluster_name": "app", "endpoints": [{"lb_endpoints": [host]}]},
    }


def _replies(code: int) -> list[Message]:
    """The front's own answers of a status: a sentence to who asked for a page, else a problem."""
    problem = PROBLEMS[code]
    sentence = f"{problem.advice} Live traffic is not touched.\n"
    text = {"text_format_source": {"inline_string": sentence}, "content_type": "text/plain; charset=utf-8"}
    document = {
        "type": f"urn:sluice:{problem.code}",
        "title": problem.title,
        "status": "%RESPONSE_CODE%",
        "detail": problem.detail,
        "code": problem.code,
        "next_step": problem.next_step,
        "request_id": "%REQ(X-REQUEST-ID)%",
        "problems": [],
        "more_problems": 0,
    }
    page = all_of(status(code), *_asks_for_a_page())
    return [
        {"filter": page, "body_format_override": text},
        {"filter": status(code), "body_format_override": {"json_format": document, "content_type": PROBLEM_JSON}},
    ]


def _asks_for_a_page() -> list[Message]:
    under_api = {"string_match": {"safe_regex": {"regex": "/(api|ofrep)([/?].*)?"}}, "invert_match": True}
    return [has_header(":path"), {"header_filter": {"header": {"name": ":path", **under_api}}}]
