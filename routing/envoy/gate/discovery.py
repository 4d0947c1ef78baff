"""Filters that are read again from a file, so that a new key or limit ends no connection."""

import json
from collections.abc import Mapping
from hashlib import sha256

from routing.envoy.names import HTTP_FILTERS, KEYS, LIMITS, TOKENS, Message

GATES = {
    TOKENS: f"{HTTP_FILTERS}.jwt_authn.v3.JwtAuthentication",
    KEYS: f"{HTTP_FILTERS}.lua.v3.Lua",
    LIMITS: f"{HTTP_FILTERS}.local_ratelimit.v3.LocalRateLimit",
}
"""The filters by their names, in their order, with the type of their configuration."""


def discovered_filters(files: Mapping[str, str]) -> dict[str, Message]:
    """The filters of the chain by name; `files` has the path of each one's configuration."""
    return {
        name: {
            "name": name,
            "config_discovery": {
                "config_source": {"path_config_source": {"path": files[name]}, "resource_api_version": "V3"},
                "type_urls": [kind],
            },
        }
        for name, kind in GATES.items()
    }


def discovery(name: str, options: Message) -> Message:
    """The discovery response with one filter's configuration; its version changes with what it says."""
    extension = {
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": name,
        "typed_config": {"@type": GATES[name], **options},
    }
    version = sha256(json.dumps(extension, sort_keys=True).encode()).hexdigest()[:16]
    return {"version_info": version, "resources": [extension]}
