"""Envoy's configuration as plain dictionaries: what is static, and what follows from a routing table."""

from routing.envoy.bootstrap import bootstrap
from routing.envoy.clusters import clusters
from routing.envoy.names import FORCED_VARIANT_HEADER, ROUTES, STATISTICS_PREFIX, TABLE_PATH, Message
from routing.envoy.routes import routes

__all__ = [
    "FORCED_VARIANT_HEADER",
    "ROUTES",
    "STATISTICS_PREFIX",
    "TABLE_PATH",
    "Message",
    "bootstrap",
    "clusters",
    "routes",
]
