"""Evidence by the plainest means: loops over rows, to compare with."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from experiments.evidence import MetricDefinition
from experiments.stats.types import Evidence, MetricType, UnitSums

Row = dict[str, Any]
UPSTREAM_FLAGS = {"UF", "UC", "UT", "UH", "UO", "URX", "LR", "NC", "DPE"}


def measured(requests: Iterable[Row], experiment: str, started_at: datetime) -> list[Row]:
    return [
        row
        for row in requests
        if row["experiment"] == experiment
        and None not in (row["variant"], row["unit"])
        and not row["shadow"]
        and not row["forced"]
        and datetime.fromisoformat(row["time"]) >= started_at
    ]


def arms_of(rows: Iterable[Row]) -> dict[int, set[str]]:
    arms: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        arms[row["unit"]].add(row["variant"])
    return arms


def owner(outcome: Row, rows: Sequence[Row]) -> int | None:
    """The unit that an outcome belongs to."""
    if outcome["request_id"] is not None:
        return min((row["unit"] for row in rows if row["request_id"] == outcome["request_id"]), default=None)
    times = [datetime.fromisoformat(row["time"]) for row in rows if row["unit"] == outcome["unit"]]
    seen_before = bool(times) and min(times) <= datetime.fromisoformat(outcome["time"])
    return outcome["unit"] if seen_before else None


def failed(row: Row) -> bool:
    return bool(row["status"] >= 500 or set(row["flags"].split(",")) & UPSTREAM_FLAGS)


def amount(measure: str, requests: Sequence[Row], outcomes: Sequence[Row]) -> float:
    """A unit's total of a measure."""
    if measure == "requests":
        return len(requests)
    if measure == "errors":
        return sum(failed(row) for row in requests)
    call = re.fullmatch(r"(\w+)\((.+)\)", measure)
    if call is None:
        return sum(float(row[measure] or 0) for row in requests)
    function, argument = call.groups()
    if function == "count":
        return sum(row[argument] is not None for row in requests)
    named = [float(row["value"]) for row in outcomes if row["name"] == argument]
    return sum(named) if function == "outcome" else len(named)


def evidence(
    all_requests: Sequence[Row],
    all_outcomes: Sequence[Row],
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
) -> tuple[Evidence, int]:
    """What `collect_evidence` should find, and the number of units seen in several arms."""
    requests = measured(all_requests, experiment, started_at)
    outcomes = [(owner(outcome, requests), outcome) for outcome in all_outcomes]
    values: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    units: dict[str, int] = defaultdict(int)
    arms = arms_of(requests)
    for unit, variants in arms.items():
        if len(variants) > 1:
            continue
        [variant] = variants
        units[variant] += 1
        mine = [row for row in requests if row["unit"] == unit]
        theirs = [outcome for whose, outcome in outcomes if whose == unit]
        for metric in metrics:
            y = amount(metric.numerator, mine, theirs)
            d = amount(metric.denominator, mine, theirs) if metric.denominator else 1.0
            values[metric.key, variant].append((float(y > 0) if metric.type is MetricType.PROPORTION else y, d))
    sums = {key: add_up(pairs) for key, pairs in values.items()}
    return Evidence(dict(units), sums), sum(len(variants) > 1 for variants in arms.values())


def add_up(pairs: Sequence[tuple[float, float]]) -> UnitSums:
    return UnitSums(
        len(pairs),
        sum(y for y, _ in pairs),
        sum(d for _, d in pairs),
        sum(y * y for y, _ in pairs),
        sum(d * d for _, d in pairs),
        sum(y * d for y, d in pairs),
    )
