"""Envoy's configuration as plain dictionaries: what is static, and what follows from a routing table."""

from routing.envoy.bootstrap import Files, bootstrap
from routing.envoy.clusters import clusters
from routing.envoy.listener import Certificate
from routing.envoy.names import EXPLAIN_HEADER, FORCED_VARIANT_HEADER, ROUTES, STATISTICS_PREFIX, TABLE_PATH, Message
from routing.envoy.routes import routes
from routing.envoy.shadows import shadow_routes

__all__ = [
    "EXPLAIN_HEADER",
    "FORCED_VARIANT_HEADER",
    "ROUTES",
    "STATISTICS_PREFIX",
    "TABLE_PATH",
    "Certificate",
    "Files",
    "Message",
    "bootstrap",
    "clusters",
    "routes",
    "shadow_routes",
]
