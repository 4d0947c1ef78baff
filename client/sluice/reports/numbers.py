"""Numbers as people read them."""

from sluice.results import MetricLine

NOTHING = "–"


def number(value: float | None) -> str:
    """Four significant digits."""
    return NOTHING if value is None else f"{value:.4g}"


def per_cent(share: float | None) -> str:
    """A relative effect, with its sign."""
    return NOTHING if share is None else f"{share * 100:+.1f} %"


def interval_words(line: MetricLine) -> str:
    """Both ends of a relative interval; an end that is open has no number."""
    if line.low is None and line.high is None:
        return NOTHING
    return f"{per_cent(line.low)} … {per_cent(line.high)}"
