"""Who may call an endpoint, and how often: filters whose configuration comes from files of their own."""

from routing.envoy.gate.discovery import GATES, discovered_filters, discovery
from routing.envoy.gate.keys import key_filter, keys
from routing.envoy.gate.limits import limits, retry_after, retry_filter, shown_limits
from routing.envoy.gate.tokens import token_filter, tokens
from routing.envoy.names import KEYS, LIMITS, TOKENS, Message
from routing.table import Table

__all__ = [
    "GATES",
    "discovered_filters",
    "gate_discoveries",
    "key_filter",
    "retry_after",
    "retry_filter",
    "shown_limits",
    "token_filter",
]


def gate_discoveries(table: Table) -> dict[str, Message]:
    """The discovery response of each filter by its name; assumes a table without problems."""
    return {
        name: discovery(name, options)
        for name, options in ((TOKENS, tokens(table)), (KEYS, keys(table)), (LIMITS, limits(table)))
    }
