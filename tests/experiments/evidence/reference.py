"""Evidence by the plainest means: loops over rows, to compare with."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from experiments.evidence import MetricDefinition
from experiments.stats.core.types import Evidence, MetricType, UnitSums

Row = dict[str, Any]
# What Envoy's documentation says of its response flags: the backend's doing, or its time that was over; the client's.
BACKEND_FLAGS = {"UF", "UC", "UR", "UH", "URX", "UPE", "UO", "LR", "DF", "UT", "SI", "DT", "UMSDR"}
TIME_FLAGS = {"UT", "SI", "DT", "UMSDR"}
CLIENT_FLAGS = {"DC", "DPE", "DR", "IH"}
EVENTS = {"errors", "timed_out", "cut_off", "client_errors"}
MAYBE_UNKNOWN = {"ttft_ms", "completion_tokens", "cost"}


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


def units_by_edge(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    seen = {(row["edge"], row["variant"], row["unit"]) for row in rows}
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for edge, arm, _ in seen:
        found[edge][arm] += 1
    return found


def owner(outcome: Row, rows: Sequence[Row]) -> int | None:
    """The unit that an outcome belongs to."""
    if outcome["request_id"] is not None:
        return min((row["unit"] for row in rows if row["request_id"] == outcome["request_id"]), default=None)
    times = [datetime.fromisoformat(row["time"]) for row in rows if row["unit"] == outcome["unit"]]
    seen_before = bool(times) and min(times) <= datetime.fromisoformat(outcome["time"])
    return outcome["unit"] if seen_before else None


def result(row: Row) -> str:
    """How a request ended; a row of an old release does not say so by itself."""
    if row["result"] is not None:
        return str(row["result"])
    flags = set(row["flags"].split(","))
    if row["status"] >= 500 or flags & BACKEND_FLAGS or row["answered_by"] not in (None, row["backend"]):
        return "failed"
    if flags & CLIENT_FLAGS:
        return "abandoned"
    if row["answered_by"] is not None and 300 <= row["status"] < 500:
        return "rejected" if row["status"] >= 400 else "redirected"
    return "success" if row["status"] < 300 else "refused"


def timed_out(row: Row) -> bool:
    """Its time was over, as the row says or, in an old one, Envoy's flags."""
    if row["result"] is not None:
        return bool(row["result"] == "timed-out")
    return bool(set(row["flags"].split(",")) & TIME_FLAGS)


def cut_off(row: Row) -> bool:
    """It had begun, and the backend or the time limit ended it before its end."""
    if row["result"] is None:
        return row["ttft_ms"] is not None and bool(set(row["flags"].split(",")) & BACKEND_FLAGS)
    return row["failure"] in ("broke-off", "unfinished") or (
        row["failure"] == "timed-out" and row["ttft_ms"] is not None
    )


def meets(row: Row, condition: str) -> bool:
    """A condition in words, like `edge is eu, us`."""
    found = re.fullmatch(r"(\w+) (is not|is present|is absent|is|starts with|contains) ?(.*)", condition)
    assert found is not None
    column, operator, values = found[1], found[2], found[3].split(", ")
    told = str(row[column]).lower() if isinstance(row[column], bool) else row[column]
    match operator:
        case "is":
            return told in values
        case "is not":
            return told not in values
        case "starts with":
            return told is not None and any(told.startswith(value) for value in values)
        case "contains":
            return told is not None and any(value in told for value in values)
        case _:
            return (told is None) == (operator == "is absent")


def column_of(measure: str) -> str:
    """What a measure is unknown without: a column, or for errors whether the request failed at all."""
    if measure == "errors":
        return "result"
    return measure if measure in MAYBE_UNKNOWN else ""


def tells(row: Row, column: str) -> bool:
    return result(row) != "unknown" if column == "result" else row[column] is not None


def is_unknown(row: Row, column: str) -> bool:
    """Whether a request that may have been answered does not tell it."""
    return bool(column) and not tells(row, column) and result(row) in ("success", "unknown")


def amount(measure: str, requests: Sequence[Row], outcomes: Sequence[Row]) -> float:
    """A unit's total of a measure."""
    if measure == "requests":
        return len(requests)
    if measure == "errors":
        return sum(result(row) in ("failed", "timed-out") for row in requests)
    if measure == "timed_out":
        return sum(timed_out(row) for row in requests)
    if measure == "cut_off":
        return sum(cut_off(row) for row in requests)
    if measure == "client_errors":
        return sum(result(row) == "rejected" for row in requests)
    call = re.fullmatch(r"(\w+)\((.+)\)", measure)
    if call is None:
        return sum(float(row[measure] or 0) for row in requests)
    function, argument = call.groups()
    if function == "count":
        return sum(row[argument] is not None for row in requests)
    named = [float(row["value"]) for row in outcomes if row["name"] == argument]
    return sum(named) if function == "outcome" else len(named)


def pair(metric: MetricDefinition, requests: Sequence[Row], outcomes: Sequence[Row]) -> tuple[float, float] | None:
    """Y and D of a unit; None where it does not count, since a part of its total is unknown."""
    requests = [row for row in requests if all(meets(row, each) for each in metric.conditions)]
    if metric.conditions and not requests:
        return None
    if metric.denominator is not None:
        columns = [column for each in (metric.numerator, metric.denominator) if (column := column_of(each))]
        told = [row for row in requests if all(tells(row, column) for column in columns)]
        return amount(metric.numerator, told, outcomes), amount(metric.denominator, told, outcomes)
    y = amount(metric.numerator, requests, outcomes)
    if metric.type is MetricType.PROPORTION and y > 0:
        return 1.0, 1.0
    if any(is_unknown(row, column_of(metric.numerator)) for row in requests):
        return None
    return (0.0 if metric.type is MetricType.PROPORTION else y), 1.0


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
            found = pair(metric, mine, theirs)
            values[metric.key, variant] += [found] if found is not None else []
    sums = {key: add_up(pairs) for key, pairs in values.items()}
    return Evidence(dict(units), sums, heavy(metrics, values)), sum(len(variants) > 1 for variants in arms.values())


def heavy(
    metrics: Sequence[MetricDefinition], values: Mapping[tuple[str, str], Sequence[tuple[float, float]]]
) -> dict[tuple[str, str], float]:
    """What the tenth heaviest unit sends at the most, by steps that grow by 1.5 to the square root of 2."""
    events = {metric.key for metric in metrics if metric.denominator == "requests" and metric.numerator in EVENTS}
    steps = [2, 3, *(round(math.sqrt(2) ** power) for power in range(4, 41))]
    tenth = {key: sorted((d for _, d in (*pairs, *[(0, 0)] * 10)))[-10] for key, pairs in values.items()}
    return {key: min(step for step in steps if step > found) - 1.0 for key, found in tenth.items() if key[0] in events}


def add_up(pairs: Sequence[tuple[float, float]]) -> UnitSums:
    return UnitSums(
        len(pairs),
        sum(y for y, _ in pairs),
        sum(d for _, d in pairs),
        sum(y * y for y, _ in pairs),
        sum(d * d for _, d in pairs),
        sum(y * d for y, d in pairs),
    )


def covariates(
    all_requests: Sequence[Row], experiment: str, started_at: datetime, metrics: Sequence[MetricDefinition]
) -> dict[tuple[str, str], list[tuple[float, float, float, float]]]:
    """By metric and arm: Y and D of each unit that counts, and what both were before the experiment."""
    requests = measured(all_requests, experiment, started_at)
    found: dict[tuple[str, str], list[tuple[float, float, float, float]]] = defaultdict(list)
    for unit, variants in arms_of(requests).items():
        if len(variants) > 1:
            continue
        for metric in metrics:
            now = pair(metric, [row for row in requests if row["unit"] == unit], [])
            mine = [row for row in all_requests if row["unit"] == unit and is_past(row, metric, started_at)]
            before = pair(metric, mine, []) if mine else None
            if now is not None:
                found[metric.key, next(iter(variants))].append((*now, *(before or (0.0, 0.0))))
    return found


def is_past(row: Row, metric: MetricDefinition, started_at: datetime) -> bool:
    assert metric.past is not None
    in_time = metric.past.since <= datetime.fromisoformat(row["time"]) < started_at
    return in_time and row["endpoint"] == metric.past.endpoint and not row["shadow"] and not row["forced"]
