"""Envoy's static configuration, read once at its start."""

from routing.envoy.listener import Certificate, Files, listener, shadow_listener
from routing.envoy.names import Message

# The fields of every Sluice process's log; the letters are Envoy's.
LOG_LINE = {"timestamp": "%Y-%m-%dT%H:%M:%S.%fZ", "level": "%l", "logger": "%n", "event": "%j"}

# More than one machine's clients open, and fewer than what would take its memory.
MOST_CONNECTIONS = 50_000

# Conditions may list many values; Envoy's own limit of a pattern ends at a dozen.
PATTERN_SIZE = 20_000
RUNTIME = {"re2.max_program_size.error_level": PATTERN_SIZE, "re2.max_program_size.warn_level": PATTERN_SIZE}

# Whoever may call the admin interface reads every secret and can end Envoy, so it has no port: no backend can have its
# address, and no other account of the machine can open it.
OWNER_ALONE = 0o600

INTERNAL_LISTENERS = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"


def bootstrap(
    *,
    name: str,
    host: str,
    port: int,
    files: Files,
    certificate: Certificate | None = None,
    connections: int = MOST_CONNECTIONS,
) -> Message:
    """All that does not change with the table; the files bring what does. Clients have at most so many connections."""
    return {
        "node": {"id": name, "cluster": "sluice"},
        "admin": {"address": {"pipe": {"path": files.admin, "mode": OWNER_ALONE}}},
        "dynamic_resources": {
            "cds_config": {"path_config_source": {"path": files.clusters}, "resource_api_version": "V3"}
        },
        "overload_manager": limited_to(connections),
        "layered_runtime": {"layers": [{"name": "sluice", "static_layer": RUNTIME}]},
        "application_log_config": {"log_format": {"json_format": LOG_LINE}},
        "bootstrap_extensions": [{"name": "internal", "typed_config": {"@type": INTERNAL_LISTENERS}}],
        "static_resources": {
            "listeners": [
                listener(host, port, files, certificate),
                shadow_listener(files),
            ]
        },
    }


def limited_to(connections: int) -> Message:
    """Refuses connections of clients beyond so many, before they take what others need."""
    kind = "envoy.resource_monitors.global_downstream_max_connections"
    config = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    most = {"@type": f"type.googleapis.com/{config}", "max_active_downstream_connections": connections}
    return {"resource_monitors": [{"name": kind, "typed_config": most}]}
