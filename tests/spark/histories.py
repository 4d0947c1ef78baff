"""A history in which all that evidence is made of occurs, and asking both engines about it."""

import random
from datetime import datetime, timedelta
from typing import Any

from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType
from experiments.stats.metrics.windows import Window
from tests.connections import environment
from tests.experiments.evidence import events
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, outcome_row, request_row

LOCAL = "local[2]"
NOW = START + timedelta(seconds=600)
STARTS = tuple(START + timedelta(seconds=seconds) for seconds in (20, 60))
OF_REQUESTS = events.METRICS[:6]
ONE = OF_REQUESTS[:1]
"""Enough where it is not numbers that are compared: each metric and each start makes a larger plan."""

METRICS = (
    *OF_REQUESTS,
    MetricDefinition("others", MetricType.PROPORTION, "completion_tokens", conditions=("client contains e, b",)),
    MetricDefinition("capped", MetricType.MEAN, "duration_ms", cap=5e4),
    MetricDefinition("slow", MetricType.RATIO, "above(duration_ms, 50000)", "requests"),
    MetricDefinition("revenue", MetricType.MEAN, "outcome(sale)"),
    MetricDefinition("median", MetricType.QUANTILE, "duration_ms", level=0.5),
    MetricDefinition("retained", MetricType.PROPORTION, "requests", window=Window(10, 60)),
    MetricDefinition("accuracy", MetricType.ACCURACY, "predicted", "label"),
)


def history(lake_url: str, requests: int = 900, seed: int = 7) -> str:
    """Users who come back, some in both arms, with amounts of all sizes, and outcomes by request and by user."""
    drawn = random.Random(seed)
    rows = [_request(drawn, number) for number in range(requests)]
    told = [_outcome(drawn, number) for number in range(0, requests, 3)]
    labels = [
        outcome_row(f"{name}{number}", name=name, request_id=f"r{number}", value=drawn.choice([0.0, 1.0]), unit=None)
        for number in range(0, requests, 4)
        for name in ("predicted", "label")
    ]
    return fill(lake_url, rows, [*told, *labels])


def _at(number: int, later: float = 0.0) -> str:
    return (START + timedelta(seconds=number / 10 + later)).isoformat()


def _request(drawn: random.Random, number: int) -> dict[str, Any]:
    unit = drawn.randint(-(2**63), 2**63 - 1) if number % 3 else number % 50
    usual = "control" if unit % 2 else "candidate"
    return request_row(
        f"r{number}",
        time=_at(number),
        unit=unit,
        variant=usual if unit > 5 or number % 4 else "control",
        duration_ms=drawn.random() * 1e5,
        ttft_ms=drawn.choice([None, 3.5, 77.25]),
        cost=drawn.choice([None, drawn.random() * 1e4]),
        completion_tokens=drawn.randint(0, 500),
        edge=drawn.choice(["eu.1", "us"]),
        client=drawn.choice(["mobile", "web", None]),
        result=drawn.choice(["success"] * 8 + ["failed", "unknown", None]),
    )


def _outcome(drawn: random.Random, number: int) -> dict[str, Any]:
    whose = {"unit": number % 50} if number % 2 else {"unit": None, "request_id": f"r{number}"}
    return outcome_row(
        f"o{number}", time=_at(number, 3), received_at=_at(number, 4), name="sale", value=drawn.random(), **whose
    )


def on_spark(
    lake_url: str, metrics: tuple[MetricDefinition, ...] = ONE, starts: tuple[datetime, ...] = ()
) -> CollectedEvidence:
    """What Spark finds."""
    with environment(spark_master=LOCAL):
        return collect_evidence(lake_url, "exp", START, metrics, now=NOW, starts=starts)


def on_duckdb(
    lake_url: str, metrics: tuple[MetricDefinition, ...] = ONE, starts: tuple[datetime, ...] = ()
) -> CollectedEvidence:
    """What DuckDB finds."""
    with environment(spark_master=""):
        return collect_evidence(lake_url, "exp", START, metrics, now=NOW, starts=starts)
