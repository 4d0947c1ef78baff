"""How busy a server is, from its metrics as Prometheus text."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from routing.protocols.types import LoadMetrics, Series

_SAMPLE = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?", re.ASCII)
_LABEL = re.compile(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"', re.ASCII)
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that wait and that run, and the used share of the cache for keys and values; None where unknown."""

    waiting: float | None = None
    running: float | None = None
    cache_used: float | None = None


@dataclass(frozen=True, slots=True)
class _Sample:
    metric: str
    labels: frozenset[tuple[str, str]]
    value: float


def read_load(metrics: LoadMetrics, text: str) -> Load:
    r"""The load that a server's metrics tell: requests of all its models together, and its fullest cache.

    >>> read_load(LoadMetrics("/metrics", waiting=(Series("queue"),)), 'queue{model="a"} 2\nqueue{model="b"} 1')
    Load(waiting=3.0, running=None, cache_used=None)
    """
    samples = list(_samples(text))
    return Load(
        waiting=_first(metrics.waiting, samples, math.fsum),
        running=_first(metrics.running, samples, math.fsum),
        cache_used=_first(metrics.cache_used, samples, max),
    )


def _first(
    choices: Iterable[Series], samples: Sequence[_Sample], together: Callable[[list[float]], float]
) -> float | None:
    """The first series that the server has, as one number."""
    for series in choices:
        wanted = set(series.labels)
        values = [sample.value for sample in samples if sample.metric == series.metric and wanted <= sample.labels]
        if values:
            return together(values)
    return None


def _samples(text: str) -> Iterator[_Sample]:
    """All samples that hold a number; a line that is none, like a comment, says nothing."""
    for line in text.splitlines():
        found = _SAMPLE.fullmatch(line.strip())
        value = _number(found["value"]) if found else None
        if found and value is not None:
            labels = _LABEL.findall(found["labels"] or "")
            yield _Sample(found["metric"], frozenset((name, _plain(escaped)) for name, escaped in labels), value)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _plain(escaped: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: _ESCAPED[found[0]], escaped)
