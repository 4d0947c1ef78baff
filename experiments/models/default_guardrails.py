"""Guardrails that every plan has until they are switched off by name: harm that no plan lists is harm all the same.

Clients that are wrong are wrong in all variants alike, so that a candidate is blamed only for what it adds. Where a
slower candidate is welcome, `latency` is switched off by name. What they measure is said here: whatever a row of the
database says of it, plans are judged by this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from experiments.stats.core.types import MarginKind


@dataclass(frozen=True, slots=True)
class Accepted:
    """The harm that such a guardrail accepts, and the smallest effect that matters, relative to the control."""

    margin: float
    margin_kind: MarginKind = MarginKind.ABSOLUTE
    minimum_effect: float = 0.5


DEFAULT_MARGINS: Mapping[str, Accepted] = MappingProxyType(
    {
        "error-rate": Accepted(0.005),
        "client-error-rate": Accepted(0.01),
        "redirect-rate": Accepted(0.01),
        "abandon-rate": Accepted(0.02),
        "truncated-rate": Accepted(0.02),
        "latency": Accepted(0.25, MarginKind.RELATIVE, 0.25),
    }
)
"""By the metric's key: so many more of all requests, and a mean duration that is so much longer."""


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
    conditions: list[str] = field(default_factory=list)
    display_unit: str = "%"


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "error-rate": Meaning("errors"),
        "client-error-rate": Meaning("client_errors"),
        "redirect-rate": Meaning("redirects"),
        "abandon-rate": Meaning("abandoned"),
        "truncated-rate": Meaning("truncated"),
        "latency": Meaning("duration_ms", display_unit="ms"),
    }
)
"""By the metric's key: the share of requests that failed, were refused, were sent elsewhere, or were left, or whose
answer was cut at a length; and how long one takes.
"""
