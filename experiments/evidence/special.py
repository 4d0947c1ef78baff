"""Metrics that do not follow from totals that add up: quantiles, windows and labels. One question each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from controlplane.problems.errors import FieldProblem, InvalidInput
from experiments.evidence.conditions import meet
from experiments.evidence.measures import COLUMNS, parse
from experiments.evidence.metric_sums import MetricDefinition, columns_of, outcome_names
from experiments.evidence.rows import attributed_outcomes
from experiments.stats.core.types import UnitSums
from experiments.stats.metrics.classification import outcomes
from experiments.stats.metrics.kind import Source
from experiments.stats.metrics.quantiles import clustered_quantile
from routing.lake.reading import Frame

ByArm = dict[str, UnitSums]


def check_special(metric: MetricDefinition) -> None:
    """Refuse a quantile of what is no column, a window of what may be unknown, and conditions that make no sense.

    Raises:
        InvalidInput: `metric-quantile`, `metric-window`, `measure-unknown`, or as `check_conditions`.

    """
    if metric.kind.has_level and (metric.numerator not in COLUMNS or metric.level is None):
        raise InvalidInput(
            "metric-quantile",
            f"The metric {metric.key} needs a level and a column of requests.",
            next_step=f"Give it a level, like 0.9, and one of {', '.join(COLUMNS)}.",
        )
    if metric.window is not None and columns_of(metric):
        raise InvalidInput(
            "metric-window",
            f"The metric {metric.key} has a window, and what it counts may be unknown.",
            next_step="Give it outcome(<name>), outcome_count(<name>) or what each request tells, like requests.",
        )
    check_conditions(metric)


def check_conditions(metric: MetricDefinition) -> None:
    """Refuse conditions that cannot be read, and any of what counts more than requests.

    Raises:
        InvalidInput: `metric-condition`.

    """
    if metric.chosen_by and (metric.window is not None or outcome_names(metric)):
        detail = f"The metric {metric.key} has conditions on requests, and counts outcomes or has a window."
        raise InvalidInput(
            "metric-condition",
            detail,
            next_step="Let it count requests alone and without a window, or take the conditions away.",
            problems=(FieldProblem("conditions", detail),),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """What is asked: an experiment's measured requests, all outcomes, and one row a unit (`arm`, `first_time`)."""

    measured: Frame
    outcomes: Frame
    units: Frame

    def of_one_arm(self) -> Frame:
        """The units that were seen in one variant alone."""
        return self.units.filter(~nw.col("arm").is_null())


def special_sums(
    metrics: Iterable[MetricDefinition], rows: Rows, started_at: datetime, now: datetime
) -> Mapping[tuple[str, str], UnitSums]:
    """Sums of each metric that does not add up, by metric and arm; an arm without enough data is left out.

    `now` is up to when outcomes are known. A window counts the units that came first at or after `started_at`.

    Raises:
        InvalidInput: as `check_special`.

    """
    found: dict[tuple[str, str], UnitSums] = {}
    for metric in metrics:
        check_special(metric)
        arms = _by_arm(metric, rows, started_at, now)
        found |= {(metric.key, arm): sums for arm, sums in arms.items()}
    return found


def _by_arm(metric: MetricDefinition, rows: Rows, started_at: datetime, now: datetime) -> ByArm:
    match metric.kind.source:
        case Source.VALUES:
            return _quantile(metric, rows.measured, rows.of_one_arm())
        case Source.LABELS:
            return _labels(metric, _outcomes(metric, rows, started_at, now), rows.of_one_arm())
        case Source.TOTALS:
            new = rows.of_one_arm().filter(nw.col("first_time") >= started_at)
            return _window(metric, _events(metric, rows, started_at, now), new, now)
        case unknown:
            assert_never(unknown)


def _outcomes(metric: MetricDefinition, rows: Rows, started_at: datetime, now: datetime) -> Frame:
    """What is known by now of the requests that count."""
    names = outcome_names(metric)
    known = attributed_outcomes(rows.outcomes, rows.measured, rows.units, names, started_at)
    known = known.filter(nw.col("known_at") <= now)
    return known if metric.until is None else known.filter(nw.col("asked_at") <= metric.until)


def _events(metric: MetricDefinition, rows: Rows, started_at: datetime, now: datetime) -> Frame:
    """What a window may count: `unit`, `time`, and the `amount` of each."""
    measure = parse(metric.numerator)
    if not measure.from_outcomes:
        return rows.measured.select("unit", "time", amount=measure.value().cast(nw.Float64) / measure.scale)
    amount = nw.col("value") if measure.function == "outcome" else nw.lit(1.0)
    return _outcomes(metric, rows, started_at, now).select("unit", "time", amount=amount)


def _quantile(metric: MetricDefinition, measured: Frame, units: Frame) -> ByArm:
    chosen = measured.filter(meet(metric.chosen_by)) if metric.chosen_by else measured
    known = chosen.filter(~nw.col(metric.numerator).is_null()).select("unit", value=nw.col(metric.numerator))
    rows = known.join(units.select("unit", "arm"), on="unit")
    assert metric.level is not None  # noqa: S101 - checked above
    found: ByArm = {}
    for arm, (owners, values) in _columns(rows, ("unit", "value")).items():
        estimate = clustered_quantile(values, owners, metric.level)
        if not estimate.note:
            found[arm] = estimate.as_sums()
    return found


def _window(metric: MetricDefinition, events: Frame, units: Frame, now: datetime) -> ByArm:
    """The sum of each complete unit's events in its window."""
    window = metric.window
    assert window is not None  # noqa: S101 - without a window, it adds up
    time, first = nw.col("time"), nw.col("first_time")
    inside = (
        events.join(units.select("unit", "first_time"), on="unit")
        .filter(time >= first + _after(window.start), time < first + _after(window.end))
        .group_by("unit")
        .agg(nw.col("amount").sum())
    )
    complete = first <= (metric.until or now) - timedelta(seconds=window.end)
    rows = units.filter(complete).select("unit", "arm").join(inside, on="unit", how="left")
    totals = _columns(rows.with_columns(nw.col("amount").fill_null(0.0)), ("amount",))
    is_share = metric.kind.is_share
    return {arm: UnitSums.of(amounts > 0.0 if is_share else amounts) for arm, (amounts,) in totals.items()}


def _after(seconds: float) -> nw.Expr:
    return nw.lit(timedelta(seconds=seconds))


def _labels(metric: MetricDefinition, labelled: Frame, units: Frame) -> ByArm:
    """Requests that have both outcomes; of each the one that came last counts, so that a label can be corrected."""
    sides = []
    for name, column in ((metric.numerator, "predicted"), (metric.denominator, "actual")):
        one = labelled.filter(nw.col("name") == name, ~nw.col("request_id").is_null())
        newest = one.group_by("unit", "request_id").agg(nw.col("received_at").max())
        last = one.join(newest, on=["unit", "request_id", "received_at"])
        sides.append(last.group_by("unit", "request_id").agg(nw.col("value").max().alias(column)))
    rows = sides[0].join(sides[1], on=["unit", "request_id"]).join(units.select("unit", "arm"), on="unit")
    found: ByArm = {}
    for arm, (owners, predicted, actual) in _columns(rows, ("unit", "predicted", "actual")).items():
        counted = outcomes(actual > 0.0, predicted > 0.0, owners, positive=True)
        found[arm] = counted.sums(metric.type)
    return found


def _columns(rows: Frame, names: Sequence[str]) -> dict[str, list[NDArray[np.float64]]]:
    """The columns as arrays, by arm."""
    table = rows.select("arm", *names).collect("pyarrow")
    arms = np.asarray(table["arm"].to_list())
    columns = [table[name].to_numpy() for name in names]
    return {str(arm): [column[arms == arm] for column in columns] for arm in sorted(set(arms.tolist()))}
