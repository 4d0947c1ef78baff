"""Sums over units since each start, exact however large they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import narwhals as nw
import numpy as np
import pyarrow as pa
from scipy.sparse import csc_array, csr_array, hstack

from experiments.evidence.measures import Measure
from experiments.evidence.metric_sums import (
    SUMS,
    MetricDefinition,
    event_denominators,
    heavy_columns,
    measures_of,
    unit_values,
)
from experiments.evidence.state.units import UnitSteps, Whole, begins
from experiments.stats.metrics.heavy import THRESHOLDS

LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Weighted:
    """Totals, a row each, with weights of 1 or -1 by what they are added to or taken off from."""

    weights: csc_array
    totals: Whole

    @classmethod
    def joined(cls, parts: Sequence["Weighted"]) -> "Weighted":
        """One beside the other."""
        weights = csc_array(hstack([part.weights for part in parts], format="csc"))
        return cls(weights, np.concatenate([part.totals for part in parts], axis=1))


def signed_steps(units: UnitSteps, moments: Whole, arms: int, sign: int) -> Weighted:
    """Each unit's running totals, by arm and start.

    A step's running totals are those since its start. They count since the starts from the one after the unit's step
    before up to the step's own: so they are added at its own start, and taken off at that of the step before, and what
    counts since a start is what all starts from it on have.
    """
    count = len(units.owners)
    places = units.arms[units.owners] * len(moments) + np.searchsorted(moments, units.starts)
    again = ~begins(units.owners)
    shape = (arms * len(moments), count)
    signs = np.full(count, sign, np.int64)
    own = csc_array((signs, places, np.arange(count + 1)), shape=shape)
    before = np.append(0, np.cumsum(again))
    earlier = csc_array((signs[again], places[np.flatnonzero(again) - 1], before), shape=shape)
    return Weighted(own - earlier, _running(units))


def _running(units: UnitSteps) -> Whole:
    """Each unit's totals from each of its steps on."""
    sums = np.cumsum(units.steps, axis=1)
    last = np.flatnonzero(np.append(begins(units.owners)[1:], True)[: len(units.owners)])
    found = np.repeat(sums[:, last], np.diff(last, prepend=-1), axis=1)
    found -= sums
    found += units.steps
    return found


def whole_totals(units: UnitSteps, arms: int, sign: int) -> Weighted:
    """Each unit's totals since the first start, by arm."""
    counts = np.flatnonzero(units.arms >= 0)
    signs = np.full(len(counts), sign, np.int64)
    places = (units.arms[counts], np.arange(len(counts)))
    return Weighted(csc_array((signs, places), shape=(arms, len(counts))), units.wholes[:, counts])


def weighted_sums(
    metrics: Sequence[MetricDefinition], totals: Mapping[Measure, str], weighted: Weighted
) -> dict[str, list[int]]:
    """By column of `sum_expressions` and `units`: the weighted sums of what units' totals make."""
    found = values_of(metrics, totals, weighted.totals)
    found["1"] = np.ones(weighted.totals.shape[1], np.int64)

    same = _same(metrics)

    def summed(*names: str) -> list[int]:
        return summed_once(*(same.get(name, name) for name in names))

    @cache
    def summed_once(*names: str) -> list[int]:
        first, *second = (found[name] for name in names)
        return exact_sums(weighted.weights, first, second[0] if second else found["1"])

    sums = {"units": summed("1")}
    for number, metric in enumerate(metrics):
        sums[f"units_{number}"] = summed(f"n_{number}")
        sums |= {f"{name}_{number}": summed(*_factors(metric, number, *pair)) for name, pair in SUMS.items()}
    for number in set(event_denominators(metrics).values()):
        sums |= zip(heavy_columns(number), _reached(weighted.weights, found[f"d_{number}"]), strict=True)
    return sums


def _reached(weights: csc_array, totals: Whole) -> list[list[int]]:
    """Of each threshold of heavy units: the sum of the weights whose totals reach it, of each row of weights."""
    count = len(totals)
    classes = np.searchsorted(THRESHOLDS, totals, side="right")
    one_each = csr_array((np.ones(count, np.int64), classes, np.arange(count + 1)), (count, len(THRESHOLDS) + 1))
    in_class = (weights @ one_each).toarray()
    reached: list[list[int]] = in_class[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].T.tolist()
    return reached


def _same(metrics: Sequence[MetricDefinition]) -> dict[str, str]:
    """Columns of `unit_values` that hold what another does: many ratios have one denominator."""
    ratios = {number: measures_of(metric)[1] for number, metric in enumerate(metrics) if metric.kind.is_ratio}
    first: dict[Measure, str] = {}
    return {f"d_{number}": first.setdefault(measure, f"d_{number}") for number, measure in ratios.items()}


def values_of(metrics: Sequence[MetricDefinition], totals: Mapping[Measure, str], columns: Whole) -> dict[str, Whole]:
    """What each unit's totals make, by column of `unit_values`."""
    if not metrics:
        return {}
    table = pa.table(dict(zip(totals.values(), columns, strict=True)))
    values = nw.from_native(table).select(**unit_values(metrics, totals))
    return {name: values[name].to_numpy().astype(np.int64, copy=False) for name in values.columns}


def _factors(metric: MetricDefinition, number: int, first: str, second: str) -> tuple[str, ...]:
    """What is multiplied: but for ratios D is n, which is 0 or 1, and Y is 0 where n is; a share's Y is 0 or 1 too."""
    names = [f"{each}_{number}" for each in (first, second) if each]
    if metric.kind.is_ratio:
        return tuple(names)
    names = [name.replace("d_", "n_") for name in names]
    is_same = len(set(names)) == 1 and (names[0].startswith("n_") or metric.kind.is_share)
    return (names[0],) if is_same or names[1:] == [f"n_{number}"] else tuple(names)


def exact_sums(weights: csc_array, first: Whole, second: Whole) -> list[int]:
    """Σ w · first · second of each row of weights, which are 1, -1 or 0.

    Where a bound on the sum of all absolute products allows, in 64 bits; else the wider factor is split into two of
    half as many bits, of which one has a weight of its own: x = 2^k floor(x / 2^k) + (x mod 2^k).
    """
    widths = [_width(factor) for factor in (first, second)]
    if 2 ** sum(widths) * weights.nnz < LARGEST:
        return [int(each) for each in weights @ (first * second)]
    if widths[1] > widths[0]:
        first, second = second, first
    bits = max(widths) // 2
    high, low = (exact_sums(weights, part, second) for part in (first >> bits, first & (2**bits - 1)))
    return [(one << bits) + other for one, other in zip(high, low, strict=True)]


def _width(values: Whole) -> int:
    """So many bits that 2 to that power is larger than any absolute value."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0))).bit_length()
