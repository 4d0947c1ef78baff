"""Sums over units of metrics beside the same metrics from before the experiment, exact however large they are.

By the number of a metric that has a past, and by arm: `units`, `without_past`, the totals `y`, `d`, `x` and `w`, and
those of the products of each two, as `yx`. Y over D is the metric, X over W its past.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement

import numpy as np
from scipy.sparse import csc_array

from experiments.evidence.metric_sums import MetricDefinition, distinct_measures, measures_of
from experiments.evidence.own_metrics import REQUESTS
from experiments.evidence.state.products import Weighted, exact_sums, values_of
from experiments.evidence.state.sums import Kept, Row
from experiments.evidence.state.units import UnitSteps, Whole, added_up, begins
from experiments.stats.adjust.covariate import CovariateSums

NAMES = ("y", "d", "x", "w")
PRODUCTS = tuple(combinations_with_replacement(NAMES, 2))


def paired_totals(units: UnitSteps, pasts: Whole, arms: int, sign: int) -> Weighted:
    """Each counted unit's totals since the first start and, below them, those of its past, by arm."""
    first = np.flatnonzero(begins(units.owners))
    owners = units.owners[first]
    totals = np.concatenate([added_up(units.steps, first), pasts[:, owners]])
    signs = np.full(len(owners), sign, np.int64)
    weights = csc_array((signs, (units.arms[owners], np.arange(len(owners)))), shape=(arms, len(owners)))
    return Weighted(weights, totals)


def paired_sums(kept: Kept, weighted: Weighted) -> dict[str, list[int]]:
    """By column and arm: the weighted sums of what units' totals make."""
    totals, of_past = distinct_measures(kept.metrics), distinct_measures(kept.of_past)
    values = values_of(kept.adjusted, totals, weighted.totals[: len(totals)])
    before = values_of(kept.of_past, of_past, weighted.totals[len(totals) :])
    was_there = before[f"y_{kept.of_past.index(REQUESTS)}"] > 0
    ones = np.ones_like(was_there, np.int64)
    sums: dict[str, list[int]] = {}
    for number, _ in enumerate(kept.adjusted):
        counts = values[f"n_{number}"]
        x, w = (before[f"{name}_{number}"] * counts * was_there for name in ("y", "d"))
        columns = dict(zip(NAMES, (values[f"y_{number}"], values[f"d_{number}"] * counts, x, w), strict=True))
        columns |= {"units": counts, "without_past": counts * ((x == 0) & (w == 0))}
        sums |= {f"{name}_{number}": exact_sums(weighted.weights, each, ones) for name, each in columns.items()}
        sums |= {
            f"{one}{other}_{number}": exact_sums(weighted.weights, columns[one], columns[other])
            for one, other in PRODUCTS
        }
    return sums


def read_pairs(kept: Kept, rows: Mapping[str, Row]) -> Mapping[str, Mapping[str, CovariateSums]]:
    """The sums by metric and arm, for arms that have a unit."""
    return {
        metric.key: {arm: _read(metric, number, row) for arm, row in rows.items() if row.get(f"units_{number}")}
        for number, metric in enumerate(kept.adjusted)
    }


def _read(metric: MetricDefinition, number: int, row: Row) -> CovariateSums:
    of_y, *of_d = (measure.scale for measure in measures_of(metric))
    scales = dict(zip(NAMES, (of_y, *(of_d or [1])) * 2, strict=True))
    totals = tuple(row[f"{name}_{number}"] / scales[name] for name in NAMES)
    products = tuple(tuple(_products(row, number, name, scales)) for name in NAMES)
    return CovariateSums(row[f"units_{number}"], row[f"without_past_{number}"], totals, products)


def _products(row: Row, number: int, name: str, scales: Mapping[str, int]) -> Iterator[float]:
    for other in NAMES:
        one, two = sorted((name, other), key=NAMES.index)
        yield row[f"{one}{two}_{number}"] / (scales[one] * scales[two])
