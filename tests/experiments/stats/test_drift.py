"""Drift of inputs is found where it is and not where it is not; nonsense is refused by name or noted."""

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from experiments.stats.core.errors import StatisticsError
from experiments.stats.drift import DriftReport, FeatureDrift, Requests, drift_report, feature_drift
from experiments.stats.drift.bins import category_bins, numeric_bins
from experiments.stats.drift.distances import (
    critical_stability_index,
    distance_intervals,
    distances,
    smoothed,
    stability_index,
)
from experiments.stats.drift.requests import one_request_per_unit
from tests.experiments.stats.samples import Values

pytestmark = pytest.mark.slow

ALPHA = 0.05


def limit(runs: int) -> float:
    """Alpha and four standard errors of the simulation."""
    return ALPHA + 4.0 * math.sqrt(ALPHA * (1.0 - ALPHA) / runs)


def clustered(rng: np.random.Generator, units: int, *, shift: float = 0.0, requests: int = 10) -> tuple[Values, Values]:
    """Units and values of their requests; half of the variance is between units."""
    own = rng.normal(shift, 1.0, units)
    return np.repeat(np.arange(units), requests), (own[:, None] + rng.normal(0.0, 1.0, (units, requests))).ravel()


def window(rng: np.random.Generator, units: int, **shifts: float) -> Requests:
    """Several features of the same units' requests."""
    labels, _ = clustered(rng, units)
    return Requests(labels, {name: clustered(rng, units, shift=shift)[1] for name, shift in shifts.items()})


def test_one_request_of_each_unit_is_drawn_evenly_and_reproducibly() -> None:
    units = np.repeat(["ann", "bob", "cleo"], [1, 2, 5])
    places = np.array([one_request_per_unit(units, seed=seed) for seed in range(2000)])
    assert [set(units[places[:, column]]) for column in range(3)] == [{"ann"}, {"bob"}, {"cleo"}]
    of_cleo = np.bincount(places[:, 2], minlength=8)[3:]
    assert stats.chisquare(of_cleo).pvalue > 1e-4
    assert np.array_equal(one_request_per_unit(units, seed=7), one_request_per_unit(units, seed=7))


def p_values(rng: np.random.Generator, runs: int, *, per_unit: bool) -> Values:
    """p-values of chi-square and of Kolmogorov and Smirnov between windows that are alike, by (test, run)."""
    found = []
    for run in range(runs):
        labels, before = clustered(rng, 250)
        _, now = clustered(rng, 250)
        places = one_request_per_unit(labels, seed=run) if per_unit else np.arange(labels.size)
        bins = numeric_bins(before[places])
        table = np.stack([bins.counts(before[places])[:-1], bins.counts(now[places])[:-1]])
        smirnov = stats.ks_2samp(before[places], now[places], method="asymp").pvalue
        found.append((stats.chi2_contingency(table).pvalue, smirnov))
    return np.array(found).T


def test_ten_requests_a_unit_raise_no_false_alarm_but_would_as_independent_requests() -> None:
    runs = 300
    by_unit = p_values(np.random.default_rng(1), runs, per_unit=True)
    assert np.all(np.mean(by_unit <= ALPHA, axis=1) <= limit(runs))
    by_request = p_values(np.random.default_rng(1), 100, per_unit=False)
    assert np.all(np.mean(by_request <= ALPHA, axis=1) > 0.2)


def test_windows_that_are_alike_do_not_drift_whatever_the_threshold() -> None:
    runs, rng = 60, np.random.default_rng(2)
    alarms = 0
    for run in range(runs):
        before, now = (window(rng, 200, a=0.0, b=0.0, c=0.0) for _ in range(2))
        alarms += bool(drift_report(before, now, threshold=0.0, seed=run).drifted)
    assert alarms / runs <= limit(runs)


@pytest.mark.parametrize("units", [300, 3000])
def test_the_interval_of_the_index_covers_it(units: int) -> None:
    """With a true index of 0, .02, .1 and .25 the lower end lies above it in at most 2.5 % of runs."""
    runs, rng, reference = 60, np.random.default_rng(units), np.full(10, 0.1)
    allowed = 0.025 + 4.0 * math.sqrt(0.025 * 0.975 / runs)
    for tilt in (0.0, 0.0245, 0.055, 0.085):
        present = np.clip(reference + tilt * np.linspace(-1.6, 1.6, 10) / 1.6, 0.005, None)
        present /= present.sum()
        true = float(stability_index(reference, present))
        lows = [
            distance_intervals(rng.multinomial(units, reference), rng.multinomial(units, present), seed=run)[0].low
            for run in range(runs)
        ]
        assert np.mean(np.array(lows) > true) <= allowed


def test_the_critical_index_is_exceeded_in_alpha_of_windows() -> None:
    runs, rng = 4000, np.random.default_rng(4)
    before, now = (smoothed(rng.multinomial(size, np.full(10, 0.1), runs)) for size in (2000, 1000))
    exceeded = np.mean(stability_index(before, now) > critical_stability_index(10, 2000, 1000))
    assert exceeded == pytest.approx(ALPHA, abs=4.0 * math.sqrt(ALPHA * (1 - ALPHA) / runs))


def test_a_real_shift_is_found_and_named_worst_first() -> None:
    rng = np.random.default_rng(5)
    before = window(rng, 1500, same=0.0, moved=0.0, far=0.0, other=0.0)
    now = window(rng, 1500, same=0.0, moved=1.2, far=2.0, other=0.0)
    report = drift_report(before, now)
    assert report.drifted == ("far", "moved")
    assert [found.feature for found in report.features[:2]] == ["far", "moved"]
    assert (report.reference_units, report.present_units) == (1500, 1500)


def test_a_shift_that_is_certain_but_small_is_no_drift() -> None:
    rng = np.random.default_rng(6)
    report = drift_report(window(rng, 20_000, tokens=0.0), window(rng, 20_000, tokens=0.15))
    assert report.features[0].p_value < 1e-6
    assert report.drifted == ()


def test_a_large_index_of_few_units_is_no_drift() -> None:
    """Windows of 100 units that are alike reach the customary .1 most of the time; the interval knows better."""
    rng = np.random.default_rng(7)
    found = [drift_report(window(rng, 100, a=0.0), window(rng, 100, a=0.0), seed=run) for run in range(40)]
    assert np.mean([each.features[0].distances.stability_index > 0.1 for each in found]) > 0.5
    assert sum(bool(each.drifted) for each in found) == 0


def one(reference: ArrayLike, present: ArrayLike, *, categorical: bool = False) -> FeatureDrift:
    """The only feature of a report, one request a unit."""
    return report_of(reference, present, categorical=categorical).features[0]


def report_of(reference: ArrayLike, present: ArrayLike, *, categorical: bool = False) -> DriftReport:
    before, now = (Requests(np.arange(np.size(values)), {"x": values}) for values in (reference, present))
    return drift_report(before, now, categorical=["x"] if categorical else [])


def test_a_new_category_is_named_and_drifts() -> None:
    found = one(["de"] * 300 + ["en"] * 200, ["de"] * 200 + ["en"] * 150 + ["fr"] * 150)
    assert found.kind.value == "categorical"
    assert found.new_categories == ("fr",)
    assert found.drifted
    assert found.distances.stability_index > found.critical_index


def test_values_that_go_missing_are_drift_of_numbers_and_of_categories() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(0.0, 1.0, 1000)
    gone = np.where(np.arange(1000) < 300, np.nan, values)
    assert one(values, gone).drifted
    assert one(["a"] * 1000, ["a"] * 700 + [None] * 300).drifted


def test_a_constant_that_stays_is_no_drift_and_one_that_changes_is() -> None:
    assert one([5.0] * 300, [5.0] * 300).p_value == 1.0
    assert not one([5.0] * 300, [5.0] * 300).drifted
    assert one([5.0] * 300, [6.0] * 300).drifted
    assert one([5.0] * 300, [4.0] * 300).drifted
    assert one([0] * 300 + [3] * 30, [0] * 200 + [3] * 130).drifted


def test_numbers_may_be_named_categorical() -> None:
    found = one([1, 2, 3] * 100, [1, 2, 9] * 100, categorical=True)
    assert (found.kind.value, found.new_categories, found.values) == ("categorical", ("9",), None)


def test_a_category_that_is_a_whole_number_is_the_same_as_a_float() -> None:
    """A column of whole numbers comes as floats as soon as one is missing; that is no new category."""
    found = one([1, 2] * 200, [1.0, 2.0] * 199 + [None, 1.0], categorical=True)
    assert (found.new_categories, found.drifted) == ((), False)


def test_rare_categories_share_a_bin() -> None:
    bins = category_bins(["a"] * 5 + ["b"] * 3 + ["c", "d"], most=2)
    assert bins.counts(["a", "c", "d", "new"]).tolist() == [1.0, 0.0, 2.0, 1.0, 0.0]


def test_bins_hold_about_equal_parts_of_the_reference() -> None:
    values = np.random.default_rng(9).lognormal(0.0, 2.0, 10_000)
    counts = numeric_bins(values).counts(values)
    assert counts[-1] == 0.0
    assert counts[:-1].tolist() == pytest.approx([1000.0] * 10, abs=2.0)


def test_too_few_units_are_noted() -> None:
    report = report_of([1.0] * 50, [2.0] * 500)
    assert (report.features, report.drifted) == ((), ())
    assert "too few" in report.note
    assert report_of([], []).note


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: drift_report(Requests([1], {"a": [1]}), Requests([1], {"b": [1]})), "features-differ"),
    (lambda: drift_report(Requests([1], {"a": [1, 2]}), Requests([1], {"a": [1]})), "features-lengths"),
    (lambda: drift_report(Requests([], {}), Requests([], {}), alpha=0.0), "alpha-range"),
    (lambda: drift_report(Requests([], {}), Requests([], {}), threshold=math.nan), "threshold-range"),
    (lambda: feature_drift("a", [], [1.0]), "values-none"),
    (lambda: feature_drift("a", [1.0], [1.0], bins=1), "bins-range"),
    (lambda: numeric_bins(["a"]), "values-not-numeric"),
    (lambda: distances([0.5, 0.5], [1.0]), "bins-differ"),
    (lambda: distances([0.5, 0.5], [1.0, 0.0]), "shares-not-positive"),
]


@pytest.mark.parametrize(("call", "code"), REFUSED, ids=[code for _, code in REFUSED])
def test_bad_input_is_refused_by_name(call: Callable[[], object], code: str) -> None:
    with pytest.raises(StatisticsError) as caught:
        call()
    assert caught.value.code == code


cells = st.one_of(st.floats(), st.integers(-3, 3), st.none(), st.sampled_from(["", "de", "ü"]), st.booleans())
columns = st.one_of(
    st.lists(st.floats(), max_size=4),
    st.lists(st.one_of(st.none(), st.floats()), max_size=4),
    st.lists(cells, max_size=4),
)


def repeated(values: list[object]) -> NDArray[np.object_]:
    return np.array(values * 60, dtype=object)


@settings(max_examples=60)
@given(columns, columns, st.booleans())
def test_any_values_are_compared_or_refused(reference: list[object], present: list[object], categorical: bool) -> None:
    with suppress(StatisticsError):
        for found in report_of(repeated(reference), repeated(present), categorical=categorical).features:
            assert 0.0 <= found.p_value <= 1.0
            assert math.isfinite(found.distances.stability_index)
            assert 0.0 <= found.index_interval.low <= found.index_interval.high
            assert not (found.drifted and repeated(reference).tolist() == repeated(present).tolist())
