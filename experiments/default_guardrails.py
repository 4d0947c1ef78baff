"""Guardrails that every plan has until they are switched off by name: harm that no plan lists is harm all the same.

Clients that are wrong are wrong in all variants alike, so that a candidate is blamed only for what it adds.
"""

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT_MARGINS: Mapping[str, float] = MappingProxyType(
    {"error-rate": 0.01, "client-error-rate": 0.01, "redirect-rate": 0.01, "abandon-rate": 0.02}
)
"""The metric's key and the margin, in its own unit: so many more of all requests."""

SMALLEST_EFFECT = 0.5
ASSUMED_SHARE = 0.005
"""What a forecast takes for such a share where neither history nor anybody says it."""
