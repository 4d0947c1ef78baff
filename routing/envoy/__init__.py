"""Envoy's configuration as plain dictionaries: what is static, and what follows from a routing table."""

from routing.envoy.bootstrap import bootstrap
from routing.envoy.clusters import clusters
from routing.envoy.gate import GATES, gate_discoveries
from routing.envoy.listener import Certificate, Files
from routing.envoy.names import (
    EXPLAIN_HEADER,
    FORCED_VARIANT_HEADER,
    ROUTES,
    RUN_VARIABLE,
    STATISTICS_PREFIX,
    TABLE_PATH,
    TEST_KEY_HEADER,
    Message,
)
from routing.envoy.routes import routes
from routing.envoy.shadows import shadow_routes

__all__ = [
    "EXPLAIN_HEADER",
    "FORCED_VARIANT_HEADER",
    "GATES",
    "ROUTES",
    "RUN_VARIABLE",
    "STATISTICS_PREFIX",
    "TABLE_PATH",
    "TEST_KEY_HEADER",
    "Certificate",
    "Files",
    "Message",
    "bootstrap",
    "clusters",
    "gate_discoveries",
    "routes",
    "shadow_routes",
]
