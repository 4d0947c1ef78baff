"""Quantiles, windows, labels and caps from a real lake equal what one counts by hand."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from controlplane.problems.errors import InvalidInput
from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType, UnitSums
from experiments.stats.metrics.quantiles import clustered_quantile
from experiments.stats.metrics.windows import Window
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, outcome_row, request_row

pytestmark = pytest.mark.slow

Row = dict[str, Any]
DAY = 86_400.0


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def request(unit: int, variant: str, *, seconds: float = 1.0, number: int = 0, **fields: Any) -> Row:
    same = {
        "unit": unit,
        "variant": variant,
        "experiment": "exp",
        "time": at(seconds),
        "shadow": False,
        "forced": False,
    }
    return request_row("") | same | {"request_id": f"{unit}-{number}"} | fields


def outcome(name: str, value: float, *, seconds: float = 2.0, **fields: Any) -> Row:
    when = at(seconds)
    return outcome_row("") | {"name": name, "value": value, "time": when, "received_at": when} | fields


def sums_of(lake_url: str, metric: MetricDefinition, *, days: float = 30.0) -> dict[str, UnitSums]:
    now = START + timedelta(days=days)
    found = collect_evidence(lake_url, "exp", START, [metric], now=now).evidence.sums
    assert {key for key, _ in found} <= {metric.key}
    return {variant: sums for (_, variant), sums in found.items()}


def test_a_quantile_is_that_of_requests_clustered_by_user(lake_url: str) -> None:
    rng = np.random.default_rng(1)
    owners = np.repeat(np.arange(120), 5)
    values = rng.lognormal(5, 1, owners.size).round(3)
    variants = np.where(owners % 2 == 0, "control", "candidate")
    rows = [
        request(int(unit) + 1, str(variant), number=place, duration_ms=float(value))
        for place, (unit, variant, value) in enumerate(zip(owners, variants, values, strict=True))
    ]
    found = sums_of(fill(lake_url, rows), MetricDefinition("p90", MetricType.QUANTILE, "duration_ms", level=0.9))
    mine = variants == "control"
    expected = clustered_quantile(values[mine], owners[mine], 0.9).as_sums()
    assert found["control"].units == 60
    assert found["control"].sum_y == pytest.approx(expected.sum_y)
    assert found["control"].sum_yy == pytest.approx(expected.sum_yy)
    assert set(found) == {"control", "candidate"}


def test_too_few_users_for_a_quantile_give_no_number(lake_url: str) -> None:
    rows = [request(unit, "control", duration_ms=10.0) for unit in range(1, 20)]
    assert sums_of(fill(lake_url, rows), MetricDefinition("p90", MetricType.QUANTILE, "duration_ms", level=0.9)) == {}


def test_a_window_counts_users_once_it_has_closed(lake_url: str) -> None:
    """Users 1 and 2 came at the start, user 3 on day 8: on day 15 only the first two have had their second week."""
    rows = [request(1, "control"), request(2, "control"), request(3, "control", seconds=8 * DAY)]
    events = [
        outcome("visit", 1.0, seconds=9 * DAY, unit=1, request_id=None),
        outcome("visit", 1.0, seconds=3 * DAY, unit=2, request_id=None),
        outcome("visit", 1.0, seconds=9 * DAY, unit=3, request_id=None),
    ]
    filled = fill(lake_url, rows, events)
    week_two = Window(7 * DAY, 14 * DAY)
    retained = MetricDefinition("retained", MetricType.PROPORTION, "outcome_count(visit)", window=week_two)
    assert sums_of(filled, retained, days=15.0) == {"control": UnitSums.of([1.0, 0.0])}
    assert sums_of(filled, retained, days=40.0) == {"control": UnitSums.of([1.0, 0.0, 0.0])}


def test_a_window_of_requests_is_retention(lake_url: str) -> None:
    """Users 1 and 2 came at the start; 1 again on the next day, 2 too early and too late. User 3 came on day 4."""
    first = [request(1, "control"), request(2, "control"), request(3, "control", seconds=4 * DAY)]
    again = [(1, 1.5), (1, 1.6), (2, 0.9), (2, 2.1), (3, 5.5)]
    rows = [request(unit, "control", seconds=day * DAY, number=place + 1) for place, (unit, day) in enumerate(again)]
    filled = fill(lake_url, [*first, *rows])
    day_one = Window(DAY, 2 * DAY)
    retained = MetricDefinition("retained", MetricType.PROPORTION, "requests", window=day_one)
    assert sums_of(filled, retained, days=5.0) == {"control": UnitSums.of([1.0, 0.0])}
    assert sums_of(filled, retained, days=30.0) == {"control": UnitSums.of([1.0, 0.0, 1.0])}
    came_back = MetricDefinition("came-back", MetricType.MEAN, "requests", window=day_one)
    assert sums_of(filled, came_back, days=30.0) == {"control": UnitSums.of([2.0, 0.0, 1.0])}


def test_a_quantile_is_of_the_requests_that_meet_its_conditions(lake_url: str) -> None:
    rows = [
        request(unit, "control", number=number, duration_ms=float(100 * number + unit), stream=number == 1)
        for unit in range(1, 101)
        for number in (0, 1)
    ]
    slow = MetricDefinition("p50", MetricType.QUANTILE, "duration_ms", level=0.5, conditions=("stream is true",))
    found = sums_of(fill(lake_url, rows), slow)["control"]
    expected = clustered_quantile(np.arange(101.0, 201.0), np.arange(100), 0.5).as_sums()
    assert found == expected


def test_a_window_of_values_is_a_mean(lake_url: str) -> None:
    events = [
        outcome("sale", 30.0, seconds=60, unit=1, request_id=None),
        outcome("sale", 5.0, seconds=120, unit=1, request_id=None),
        outcome("sale", 99.0, seconds=2 * DAY, unit=1, request_id=None),
    ]
    filled = fill(lake_url, [request(1, "control"), request(2, "control")], events)
    first_day = MetricDefinition("sales", MetricType.MEAN, "outcome(sale)", window=Window(0.0, DAY))
    found = sums_of(filled, first_day)["control"]
    assert (found.units, found.sum_y, found.sum_yy) == (2, 35.0, 35.0**2)


def test_a_classifier_is_judged_on_requests_with_prediction_and_label(lake_url: str) -> None:
    """Labels come two days late; a request without one does not count, and neither does one without a prediction."""
    truth = {1: (1, 1), 2: (1, 0), 3: (0, 1), 4: (0, 0), 5: (1, None), 6: (None, 1)}
    rows = [request(7, "control", number=number) for number in truth]
    events = []
    for number, (predicted, actual) in truth.items():
        name = f"7-{number}"
        if predicted is not None:
            events.append(outcome("called-spam", float(predicted), unit=None, request_id=name))
        if actual is not None:
            events.append(outcome("is-spam", float(actual), seconds=2 * DAY, unit=None, request_id=name))
    filled = fill(lake_url, rows, events)
    values = {}
    for kind in (MetricType.ACCURACY, MetricType.PRECISION, MetricType.RECALL, MetricType.F1):
        found = sums_of(filled, MetricDefinition("m", kind, "called-spam", "is-spam"))["control"]
        values[kind] = (found.sum_y, found.sum_d)
    assert values == {
        MetricType.ACCURACY: (2.0, 4.0),
        MetricType.PRECISION: (1.0, 2.0),
        MetricType.RECALL: (1.0, 2.0),
        MetricType.F1: (2.0, 4.0),
    }


@pytest.mark.parametrize("first", [0.0, 1.0])
def test_of_a_label_that_was_corrected_the_last_one_counts(lake_url: str, first: float) -> None:
    """Whichever way: that of the later arrival, also where both name the same moment."""
    said = [
        outcome("called-spam", 1.0, unit=None, request_id="7-1"),
        outcome("is-spam", first, seconds=DAY, unit=None, request_id="7-1"),
        outcome("is-spam", 1.0 - first, seconds=DAY, unit=None, request_id="7-1")
        | {"received_at": (START + timedelta(days=3)).isoformat()},
    ]
    filled = fill(lake_url, [request(7, "control", number=1)], said)

    found = sums_of(filled, MetricDefinition("m", MetricType.ACCURACY, "called-spam", "is-spam"))["control"]

    assert (found.sum_y, found.sum_d) == (1.0 - first, 1.0)


def test_a_cap_bounds_what_one_user_counts(lake_url: str) -> None:
    rows = [request(1, "control", number=n, cost=10.0) for n in range(5)] + [request(2, "control", cost=3.0)]
    capped = sums_of(fill(lake_url, rows), MetricDefinition("cost", MetricType.MEAN, "cost", cap=20.0))
    assert capped == {"control": UnitSums.of([20.0, 3.0])}


def test_requests_above_a_threshold_are_counted(lake_url: str) -> None:
    rows = [request(1, "control", number=n, duration_ms=float(ms)) for n, ms in enumerate((100, 2000, 2001, 9000))]
    slow = MetricDefinition("slow", MetricType.RATIO, "above(duration_ms, 2000)", "requests")
    assert sums_of(fill(lake_url, rows), slow) == {"control": UnitSums.of([2.0], [4.0])}


def test_users_in_two_variants_count_for_none(lake_url: str) -> None:
    rows = [request(unit, "control", duration_ms=5.0) for unit in range(1, 80)]
    rows += [request(1, "candidate", number=1, duration_ms=5e6)]
    found = sums_of(fill(lake_url, rows), MetricDefinition("p50", MetricType.QUANTILE, "duration_ms", level=0.5))
    assert found["control"].units == 78
    assert "candidate" not in found


def test_metrics_that_add_up_stand_beside_those_that_do_not(lake_url: str) -> None:
    rows = [request(unit, "control", duration_ms=5.0) for unit in range(1, 80)]
    metrics = [
        MetricDefinition("p50", MetricType.QUANTILE, "duration_ms", level=0.5),
        MetricDefinition("latency", MetricType.RATIO, "duration_ms", "requests"),
    ]
    filled = fill(lake_url, rows)
    assert {key for key, _ in collect_evidence(filled, "exp", START, metrics).evidence.sums} == {"p50", "latency"}


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        (MetricDefinition("m", MetricType.QUANTILE, "requests", level=0.9), "metric-quantile"),
        (MetricDefinition("m", MetricType.QUANTILE, "duration_ms"), "metric-quantile"),
        (MetricDefinition("m", MetricType.MEAN, "cost", window=Window(0, 1)), "metric-window"),
        (MetricDefinition("m", MetricType.RATIO, "above(duration_ms, fast)", "requests"), "measure-unknown"),
        (MetricDefinition("m", MetricType.RATIO, "above(nothing, 1)", "requests"), "measure-unknown"),
    ],
)
def test_what_makes_no_sense_has_a_name(lake_url: str, metric: MetricDefinition, code: str) -> None:
    with pytest.raises(InvalidInput) as error:
        collect_evidence(lake_url, "exp", START, [metric])
    assert error.value.code == code
