"""Metrics: how one unit's totals become Y and D, and those of all units become sums."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import narwhals as nw

from controlplane.problems.errors import InvalidInput
from experiments.evidence.conditions import read_conditions
from experiments.evidence.measures import FACTOR, FRACTION, STOP, WIDE, Measure, NumberType, parse
from experiments.evidence.rows import total
from experiments.stats.core.types import Evidence, MetricType, UnitSums
from experiments.stats.metrics import KINDS
from experiments.stats.metrics.heavy import THRESHOLDS, heavy_total
from experiments.stats.metrics.kind import MetricKind
from experiments.stats.metrics.windows import Window
from routing.table import Condition


@dataclass(frozen=True, slots=True)
class Past:
    """The requests that tell what units did before: those to an endpoint, from a moment until the experiment began."""

    endpoint: str
    since: datetime


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric over units.

    A proportion is the share of units whose numerator total is above zero; a mean is the mean over
    units of the numerator total; a ratio is the numerator total of all units over their denominator
    total. Numerator and denominator are measures; only a ratio has a denominator.

    A quantile is that of a column's values over requests, at `level`. What a classifier gets right is counted over
    requests that have two outcomes: the prediction (numerator) and the label (denominator), 1 or 0 each. `cap` bounds
    a unit's total of a mean. With a `window` an outcome counts only that long after a unit's first request, and a unit
    only once its window has closed; so do requests, where their measure is always known.

    Of requests only those count that meet all `conditions`, as texts: in numerator and denominator alike. A unit
    without any does not count.

    `settling_seconds` states how long after its request an outcome may come; what it is without, is measured. Requests
    after `until` do not count: their outcomes may still be to come. With a `past` the same metric is kept of each unit
    from before the experiment, to adjust by.
    """

    key: str
    type: MetricType
    numerator: str
    denominator: str | None = None
    level: float | None = None
    cap: float | None = None
    window: Window | None = None
    settling_seconds: float | None = None
    until: datetime | None = None
    conditions: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    """Those of numerator and denominator, where no text can name them."""
    past: Past | None = None

    @property
    def kind(self) -> MetricKind:
        """All that there is to know of its type."""
        return KINDS[self.type]

    @property
    def adds_up(self) -> bool:
        """Whether it follows from totals of units that grow with every row."""
        return self.kind.adds_up and self.window is None

    @property
    def chosen_by(self) -> tuple[Condition, ...]:
        """Its conditions. Raises `InvalidInput` as `read_conditions` does."""
        return read_conditions(self.conditions)


# The sums that are kept of each metric, by the fields of UnitSums.
SUMS = {"sum_y": ("y", ""), "sum_d": ("d", ""), "sum_yy": ("y", "y"), "sum_dd": ("d", "d"), "sum_yd": ("y", "d")}


def measures_of(metric: MetricDefinition) -> tuple[Measure, ...]:
    """The numerator and, for a ratio, the denominator, both over the requests for which both are known.

    Raises:
        InvalidInput: `measure-unknown`, `metric-condition`, or `metric-denominator` when it is missing or too many.

    """
    if metric.measures:
        return metric.measures
    if metric.kind.is_ratio != (metric.denominator is not None):
        raise InvalidInput(
            "metric-denominator",
            f"The metric {metric.key} is a {metric.type}; only a ratio has a denominator, and it must have one.",
            next_step="Give a ratio both numerator and denominator, and any other type the numerator alone.",
        )
    texts = [text for text in (metric.numerator, metric.denominator) if text is not None]
    measures = tuple(replace(parse(text), until=metric.until, conditions=metric.chosen_by) for text in texts)
    if not metric.kind.is_ratio:
        return measures
    # An answer that does not say why its model stopped does not say that it was cut: of all requests it is one.
    columns = tuple(column for column in _columns(measures) if column != STOP)
    return tuple(each if each.from_outcomes else each.where_known(columns) for each in measures)


def counts_events(metric: MetricDefinition) -> bool:
    """Whether a ratio's numerator counts some of the requests that its denominator counts, each once at the most.

    Measures that cannot be read count nothing; that they cannot is said where they are measured.
    """
    if not metric.kind.is_ratio or metric.denominator is None:
        return False
    try:
        numerator, denominator = parse(metric.numerator), parse(metric.denominator)
    except InvalidInput:
        return False
    if numerator.from_outcomes or numerator.function in ("sum", "requests"):
        return False
    same_column = denominator.function == "count" and numerator.argument == denominator.argument
    return denominator.function == "requests" or (numerator.function == "above" and same_column)


def outcome_names(metric: MetricDefinition) -> tuple[str, ...]:
    """The outcomes that a metric needs, by name; none for one of requests alone."""
    texts = [text for text in (metric.numerator, metric.denominator) if text is not None]
    if metric.kind.is_of_labels:
        return tuple(sorted(set(texts)))
    return tuple(sorted({measure.argument for measure in map(parse, texts) if measure.from_outcomes}))


def names_over(metric: MetricDefinition) -> tuple[str, ...]:
    """The outcomes that a request needs to be counted by a metric at all; none where all requests or units are."""
    if metric.kind.is_of_labels:
        return outcome_names(metric)
    denominator = parse(metric.denominator) if metric.denominator is not None else None
    return (denominator.argument,) if denominator is not None and denominator.from_outcomes else ()


def columns_of(metric: MetricDefinition) -> tuple[str, ...]:
    """The columns of requests that have to be known for a metric to be, and may be unknown."""
    if metric.kind.is_of_labels:
        return ()
    return _columns(tuple(parse(text) for text in (metric.numerator, metric.denominator) if text is not None))


def _columns(measures: Iterable[Measure]) -> tuple[str, ...]:
    return tuple(sorted({measure.column for measure in measures if measure.column}))


def distinct_measures(metrics: Iterable[MetricDefinition]) -> dict[Measure, str]:
    """Every measure that the metrics need, once, with the column that holds a unit's total of it."""
    needed = dict.fromkeys(measure for metric in metrics for measure in _needed(metric))
    return {measure: f"total_{number}" for number, measure in enumerate(needed)}


def _needed(metric: MetricDefinition) -> Iterator[Measure]:
    yield from measures_of(metric)
    yield from _chosen(metric)
    if not metric.kind.is_ratio:
        yield from _unknown(metric)


def _chosen(metric: MetricDefinition) -> list[Measure]:
    """The requests that count, of which a unit needs one; where all count, each unit has one."""
    chosen = Measure("requests", until=metric.until, conditions=metric.chosen_by)
    return [chosen] if chosen != Measure("requests") else []


def _unknown(metric: MetricDefinition) -> list[Measure]:
    return [Measure("unknown", column, conditions=metric.chosen_by) for column in columns_of(metric)]


def unit_values(metrics: Sequence[MetricDefinition], totals: Mapping[Measure, str]) -> dict[str, nw.Expr]:
    """Y and D of each metric for one unit, and whether it counts (n), from the columns of its totals.

    A unit does not count for a mean or a proportion while a part of its total is unknown, unless what is known of it
    tells already, and for none of outcomes before one of its requests has settled, nor for one with conditions before
    one of its requests meets them.
    """
    values: dict[str, nw.Expr] = {}
    for number, metric in enumerate(metrics):
        columns = [nw.col(totals[measure]) for measure in measures_of(metric)]
        total = _total_of_unit(metric, columns[0])
        counts = _counts(metric, total, totals)
        values[f"y_{number}"] = total * counts
        values[f"d_{number}"] = columns[1] if metric.kind.is_ratio else counts
        values[f"n_{number}"] = counts
    return values


def _counts(metric: MetricDefinition, total: nw.Expr, totals: Mapping[Measure, str]) -> nw.Expr:
    counts = nw.lit(1)
    for measure in _chosen(metric):
        counts = nw.when(nw.col(totals[measure]) > 0).then(counts).otherwise(nw.lit(0))
    if metric.until is not None or metric.kind.is_ratio or not columns_of(metric):
        return counts
    told = total > 0 if metric.kind.is_share else nw.lit(value=False)
    for measure in _unknown(metric):
        told = told | (nw.col(totals[measure]) == 0)
    return nw.when(told).then(counts).otherwise(nw.lit(0))


def _total_of_unit(metric: MetricDefinition, total: nw.Expr) -> nw.Expr:
    if metric.kind.is_share:
        return nw.when(total > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    if metric.cap is None:
        return total
    [measure] = measures_of(metric)
    cap = metric.cap if measure.from_outcomes else round(metric.cap * measure.scale)
    return nw.when(total > cap).then(nw.lit(cap)).otherwise(total)


def unit_products(metrics: Sequence[MetricDefinition]) -> dict[str, nw.Expr]:
    """n, Y, D, Y², D² and Y·D of each metric for one unit, from the columns of `unit_values`.

    And, of each denominator of events, whether it reaches each of the totals of heavy units.
    """
    products: dict[str, nw.Expr] = {}
    for number, metric in enumerate(metrics):
        kind = FRACTION if _number(metric) is FRACTION else FACTOR
        products[f"units_{number}"] = nw.col(f"n_{number}")
        for name, (first, second) in SUMS.items():
            factor = nw.col(f"{first}_{number}").cast(kind)
            products[f"{name}_{number}"] = factor * nw.col(f"{second}_{number}").cast(kind) if second else factor
    for number in sorted(set(event_denominators(metrics).values())):
        for column, threshold in zip(heavy_columns(number), THRESHOLDS, strict=True):
            products[column] = (nw.col(f"d_{number}") >= threshold).cast(nw.Int64)
    return products


def event_denominators(metrics: Sequence[MetricDefinition]) -> dict[int, int]:
    """Of each metric that counts events, by its number: that of the first one with the same denominator."""
    first: dict[Measure, int] = {}
    counting = (number for number, metric in enumerate(metrics) if counts_events(metric))
    return {number: first.setdefault(measures_of(metrics[number])[1], number) for number in counting}


def heavy_columns(number: int) -> list[str]:
    """The columns that count the units whose denominator reaches each of the totals of heavy units."""
    return [f"heavy_{place}_{number}" for place in range(len(THRESHOLDS))]


def sum_expressions(metrics: Sequence[MetricDefinition]) -> Iterator[nw.Expr]:
    """What adds up the columns of `unit_products`."""
    for number, metric in enumerate(metrics):
        yield total(f"units_{number}", WIDE)
        for name in SUMS:
            yield total(f"{name}_{number}", _number(metric))
    for number in sorted(set(event_denominators(metrics).values())):
        yield from (total(column, WIDE) for column in heavy_columns(number))


def _number(metric: MetricDefinition) -> NumberType:
    """What its sums are: whole, and the same in whatever order they are added, unless outcomes are in them."""
    return FRACTION if any(measure.from_outcomes for measure in measures_of(metric)) else WIDE


def read_sums(metrics: Sequence[MetricDefinition], row: Mapping[str, Any]) -> dict[str, UnitSums]:
    """The sums of each metric by its key, from one aggregated row with the columns of `unit_products`."""
    return {
        metric.key: UnitSums(
            round(row[f"units_{number}"]),
            **{name: _real(row[f"{name}_{number}"], scale) for name, scale in _scales(metric).items()},
        )
        for number, metric in enumerate(metrics)
    }


def read_reached(metrics: Sequence[MetricDefinition], row: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """How many units' denominators reach each total of heavy ones, of each metric that counts events, from that row."""
    return {
        metrics[number].key: tuple(round(row[column]) for column in heavy_columns(first))
        for number, first in event_denominators(metrics).items()
    }


def read_evidence(
    units: Mapping[str, int], metrics: Sequence[MetricDefinition], rows: Mapping[str, Mapping[str, Any]]
) -> Evidence:
    """All that the rows of the arms tell."""
    sums = {(metric, arm): found for arm, row in rows.items() for metric, found in read_sums(metrics, row).items()}
    heavy = {
        (metric, arm): heavy_total(reached)
        for arm, row in rows.items()
        for metric, reached in read_reached(metrics, row).items()
    }
    return Evidence(units, sums, heavy)


def _scales(metric: MetricDefinition) -> dict[str, int]:
    """Of each sum, how many smallest units make one."""
    of_y, *of_d = (measure.scale for measure in measures_of(metric))
    scale = {"y": 1 if metric.kind.is_share else of_y, "d": of_d[0] if of_d else 1, "": 1}
    return {name: scale[first] * scale[second] for name, (first, second) in SUMS.items()}


def _real(value: float | int | Decimal, scale: int) -> float:
    """The number nearest to a sum of smallest units."""
    return value if isinstance(value, float) else int(value) / scale
