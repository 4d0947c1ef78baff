"""How often what a metric needs is known: of a unit's answered requests, those that tell it."""

from collections.abc import Iterable, Mapping

import narwhals as nw

from experiments.evidence.measures import JUDGED, OF_ANSWERS, Measure
from experiments.evidence.metric_sums import MetricDefinition, columns_of
from experiments.evidence.rows import total
from experiments.stats.core.types import UnitSums
from routing.lake.reading import Frame

ANSWERED = Measure("answered")
PRODUCTS = {
    "sum_y": nw.col("known"),
    "sum_d": nw.col("answered"),
    "sum_yy": nw.col("known") * nw.col("known"),
    "sum_dd": nw.col("answered") * nw.col("answered"),
    "sum_yd": nw.col("known") * nw.col("answered"),
}


def columns_to_check(metrics: Iterable[MetricDefinition], measured: Frame) -> Mapping[str, tuple[str, ...]]:
    """The columns that each metric needs and that may be unknown; whether a request failed hardly ever is."""
    needed = {metric.key: columns for metric in metrics if (columns := columns_of(metric))}
    if (JUDGED,) in needed.values() and not _any_unjudged(measured):
        return {key: columns for key, columns in needed.items() if columns != (JUDGED,)}
    return needed


def columns_to_read(metrics: Iterable[MetricDefinition], measured: Frame) -> Mapping[str, tuple[str, ...]]:
    """The metrics that need what answers hold, where some answers could not be read at all."""
    needed = {metric.key: (JUDGED,) for metric in metrics if not OF_ANSWERS.isdisjoint(columns_of(metric))}
    return needed if needed and _any_unjudged(measured) else {}


def _any_unjudged(measured: Frame) -> bool:
    unjudged = measured.filter(nw.col(JUDGED).is_null()).select("unit").head(1)
    return len(unjudged.collect("pyarrow")) > 0


def known_sums(
    needed: Mapping[str, tuple[str, ...]], measured: Frame, units: Frame
) -> Mapping[str, Mapping[str, UnitSums]]:
    """By metric and arm, for those that need a column that may be unknown: Y the requests that tell all, D all.

    Only answered requests count: one that failed has told nothing, and is counted as a failure already. `units` has
    one row a unit (`unit`, `arm`).
    """
    found = {columns: _sums(columns, measured, units) for columns in set(needed.values())}
    return {key: found[columns] for key, columns in needed.items()}


def _sums(columns: tuple[str, ...], measured: Frame, units: Frame) -> Mapping[str, UnitSums]:
    known = ANSWERED.where_known(columns).value()
    by_unit = (
        measured.select("unit", known=known, answered=ANSWERED.value())
        .group_by("unit")
        .agg(total("known"), total("answered"))
    )
    return sums_by_arm(by_unit.join(units.select("unit", "arm"), on="unit").filter(~nw.col("arm").is_null()))


def sums_by_arm(by_unit: Frame) -> Mapping[str, UnitSums]:
    """Sums over units by `arm`, from one row a unit with Y in `known` and D in `answered`."""
    products = by_unit.select("arm", **PRODUCTS).group_by("arm").agg(nw.len().alias("units"), *map(total, PRODUCTS))
    rows = products.collect("pyarrow").rows(named=True)
    return {row["arm"]: UnitSums(int(row["units"]), *(float(row[name]) for name in PRODUCTS)) for row in rows}
