"""Guardrails that every plan has until they are switched off by name: harm that no plan lists is harm all the same.

Clients that are wrong are wrong in all variants alike, so that a candidate is blamed only for what it adds. What they
measure is said here: whatever a row of the database says of it, plans are judged by this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DEFAULT_MARGINS: Mapping[str, float] = MappingProxyType(
    {"error-rate": 0.01, "client-error-rate": 0.01, "redirect-rate": 0.01, "abandon-rate": 0.02}
)
"""The metric's key and the margin, in its own unit: so many more of all requests."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a metric measures, by the names of its fields; all that plans are judged by, and how a margin is typed."""

    numerator: str
    denominator: str = "requests"
    type: str = "ratio"
    direction: str = "decrease"
    level: float | None = None
    cap: float | None = None
    window_from_hours: float = 0.0
    window_to_hours: float | None = None
    settling_seconds: float | None = None
    display_unit: str = "%"


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "error-rate": Meaning("errors"),
        "client-error-rate": Meaning("client_errors"),
        "redirect-rate": Meaning("redirects"),
        "abandon-rate": Meaning("abandoned"),
    }
)
"""By the metric's key: the share of requests that failed, were refused, were sent elsewhere, or were left."""

SMALLEST_EFFECT = 0.5
ASSUMED_SHARE = 0.005
"""What a forecast takes for such a share where neither history nor anybody says it."""
