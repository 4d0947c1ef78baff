"""Times as Envoy reads them."""

SHORTEST_SECONDS = 0.001


def duration(seconds: float) -> str:
    """A time in seconds, without an exponent and with no more digits than Envoy reads; at least a millisecond."""
    return f"{max(seconds, SHORTEST_SECONDS):.6f}".rstrip("0").rstrip(".") + "s"
