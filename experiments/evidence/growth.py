"""How evidence grew from one bucket of time to the next."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import narwhals as nw

from experiments.evidence.measures import WIDE, Measure
from experiments.evidence.metric_sums import (
    MetricDefinition,
    read_evidence,
    sum_expressions,
    unit_products,
    unit_values,
)
from experiments.evidence.rows import attributed_outcomes, total
from experiments.evidence.special import Rows
from experiments.stats.core.types import Evidence
from routing.lake.reading import Frame

Row = Mapping[str, Any]


def unit_steps(rows: Rows, totals: Mapping[Measure, str], since: datetime, bucket_of: nw.Expr) -> Frame:
    """One row a unit and bucket: what the bucket adds to each of the unit's totals.

    An outcome lies in the bucket of its request; that of a request before `since` does not count.
    """
    names = {measure.argument for measure in totals if measure.from_outcomes}
    attributed = attributed_outcomes(rows.outcomes, rows.measured, rows.units, names, since)
    outcomes = attributed.filter(nw.col("asked_at") >= since)
    parts = [
        part.select("unit", bucket=bucket_of, **_values(totals, from_outcomes=of_outcomes))
        for part, of_outcomes in (
            (rows.measured, False),
            (outcomes.with_columns(time=nw.col("asked_at")), True),
        )
    ]
    added = (total(column, measure.number) for measure, column in totals.items())
    return nw.concat(parts).group_by("unit", "bucket").agg(*added)


def _values(totals: Mapping[Measure, str], *, from_outcomes: bool) -> dict[str, nw.Expr]:
    """What a row adds to each total: nothing when the measure is of the other table."""
    return {
        column: (measure.value() if measure.from_outcomes is from_outcomes else nw.lit(0)).cast(measure.number)
        for measure, column in totals.items()
    }


def growth(steps: Frame, metrics: Sequence[MetricDefinition], totals: Mapping[Measure, str]) -> Frame:
    """What each unit and bucket adds to the sums over units: its products then, less those before."""
    running = [nw.col(column).cum_sum().over("unit", order_by="bucket") for column in totals.values()]
    now = (
        steps.with_columns(*running, units=nw.lit(1))
        .with_columns(**unit_values(metrics, totals))
        .with_columns(**unit_products(metrics))
    )
    columns = ("units", *unit_products(metrics))
    before = {column: nw.col(column).shift(1).over("unit", order_by="bucket").fill_null(0) for column in columns}
    return now.select("unit", "bucket", **{column: nw.col(column) - before[column] for column in columns})


def growth_sums(metrics: Sequence[MetricDefinition]) -> tuple[nw.Expr, ...]:
    """What adds up the columns of `growth` over units."""
    return (total("units", WIDE), *sum_expressions(metrics))


class GrowingEvidence:
    """Evidence that is added to: whole numbers first, so that it is the same as if all had come at once."""

    def __init__(self, metrics: Sequence[MetricDefinition]) -> None:
        self._metrics = metrics
        self._arms: dict[str, dict[str, Any]] = {}

    def add(self, rows: Iterable[Row]) -> Evidence:
        """All evidence, with these rows of sums by `arm`."""
        for row in rows:
            known = self._arms.setdefault(row["arm"], {})
            for column in row.keys() - {"arm", "bucket"}:
                value = row[column]
                # Sums of decimals would be rounded to so many digits.
                known[column] = known.get(column, 0) + (int(value) if isinstance(value, Decimal) else value)
        return self._evidence()

    def _evidence(self) -> Evidence:
        units = {arm: round(row["units"]) for arm, row in self._arms.items()}
        return read_evidence(units, self._metrics, self._arms)
