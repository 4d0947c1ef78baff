"""Copies of requests: they come back to the same Envoy, which sends them to the candidate and logs them apart."""

from collections.abc import Iterator

from routing.envoy.actions import route_action
from routing.envoy.facts import endpoint_facts, set_facts
from routing.envoy.fields import address_filter, body_filter
from routing.envoy.names import FORCED_VARIANT_HEADER, ROUTE_FACTS, SHADOW_HEADER, SHADOWS, TEST_KEY_HEADER, Message
from routing.envoy.notes import metadata
from routing.envoy.units import unit_filters, unit_place
from routing.table import Endpoint, Shadow, Table

TRANSPORT_SOCKETS = "type.googleapis.com/envoy.extensions.transport_sockets"


def shadow_routes(table: Table) -> Message:
    """The discovery response with the routes of copies; assumes a table without problems."""
    configuration = {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": SHADOWS,
        "virtual_hosts": [{"name": SHADOWS, "domains": ["*"], "routes": list(_routes(table))}],
        "request_headers_to_remove": [SHADOW_HEADER, FORCED_VARIANT_HEADER, TEST_KEY_HEADER],
    }
    return {"version_info": str(table.version), "resources": [configuration]}


def shadow_cluster() -> Message:
    """The cluster that copies are sent to: this Envoy itself."""
    address = {"envoy_internal_address": {"server_listener_name": SHADOWS}}
    inner = {"name": "raw", "typed_config": {"@type": f"{TRANSPORT_SOCKETS}.raw_buffer.v3.RawBuffer"}}
    return {
        "name": SHADOWS,
        "load_assignment": {
            "cluster_name": SHADOWS,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "transport_socket": {
            "name": "internal",
            "typed_config": {
                "@type": f"{TRANSPORT_SOCKETS}.internal_upstream.v3.InternalUpstreamTransport",
                "transport_socket": inner,
            },
        },
    }


def _routes(table: Table) -> Iterator[Message]:
    backends = {backend.key: backend for backend in table.backends}
    for endpoint in table.endpoints:
        for shadow in endpoint.shadows:
            yield {
                "match": {"prefix": "/", "headers": [_named(shadow)]},
                "route": {**_action(endpoint), "cluster": shadow.backend},
                "typed_per_filter_config": {
                    ROUTE_FACTS: set_facts({**endpoint_facts(endpoint, table.version), **_facts(shadow)}),
                    **address_filter([endpoint], backends),
                    **body_filter([endpoint], backends),
                    **unit_filters(endpoint),
                },
                **metadata(unit_place(endpoint)),
            }


def _named(shadow: Shadow) -> Message:
    return {"name": SHADOW_HEADER, "string_match": {"exact": f"{shadow.experiment}/{shadow.variant}"}}


def _facts(shadow: Shadow) -> Message:
    return {
        "shadow": True,
        "experiment": shadow.experiment,
        "variant": shadow.variant,
        "stage": shadow.stage,
        "backend": shadow.backend,
    }


def _action(endpoint: Endpoint) -> Message:
    """The path of a copy was rewritten already."""
    action = route_action(endpoint)
    action.pop("regex_rewrite", None)
    return action
