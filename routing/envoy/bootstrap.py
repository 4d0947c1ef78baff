"""Envoy's static configuration, read once at its start."""

from routing.envoy.listener import listener
from routing.envoy.names import Message

# The fields of every Sluice process's log; the letters are Envoy's.
LOG_LINE = {"timestamp": "%Y-%m-%dT%H:%M:%S.%fZ", "level": "%l", "logger": "%n", "event": "%j"}


def bootstrap(
    *, name: str, host: str, port: int, admin_port: int, clusters_file: str, routes_file: str, log_file: str
) -> Message:
    """All that does not change with the table; the two files bring what does."""
    return {
        "node": {"id": name, "cluster": "sluice"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "dynamic_resources": {
            "cds_config": {"path_config_source": {"path": clusters_file}, "resource_api_version": "V3"}
        },
        "application_log_config": {"log_format": {"json_format": LOG_LINE}},
        "static_resources": {"listeners": [listener(host, port, routes_file, log_file)]},
    }
