"""The bench compares like with like: its input is the same each time, and a difference is noticed."""

import math

import pytest

from bench.stats.agreement import apart, compare, restated
from bench.stats.inputs import METRICS, VARIANTS, make
from bench.stats.worker import judged, same_work

pytestmark = pytest.mark.slow

Row = list[float]


def by_definitions_of(name: str) -> list[Row]:
    """What the library must say if both are right."""
    metrics, candidates = make(), VARIANTS[1:]
    places = [(metric, candidate) for metric in metrics for candidate in candidates]
    rows = zip(places, same_work(metrics)(), strict=True)
    return [restated(name, metric["kind"], metric["arms"], candidate, row) for (metric, candidate), row in rows]


def test_the_input_is_the_same_each_time_and_another_seed_gives_another() -> None:
    assert make() == make()
    assert make(1) != make(2)
    assert len(make()) == METRICS


def test_the_judge_and_its_comparable_part_say_the_same() -> None:
    metrics = make()
    whole, part = judged(metrics)(), same_work(metrics)()
    assert len(whole) == len(part) == METRICS * (len(VARIANTS) - 1)
    assert max(apart(one, other[:3]) for one, other in zip(whole, part, strict=True)) < 1e-9


@pytest.mark.parametrize("name", ["tea-tasting", "gbstats"])
def test_definitions_that_are_known_to_differ_are_allowed_for(name: str) -> None:
    assert compare(name, make(), same_work(make())(), by_definitions_of(name))


@pytest.mark.parametrize("name", ["tea-tasting", "gbstats"])
@pytest.mark.parametrize("place", [0, 1, 2], ids=["proportion", "mean", "ratio"])
@pytest.mark.parametrize("column", [0, 1, 2], ids=["difference", "low", "high"])
def test_one_number_that_differs_by_little_is_noticed(name: str, place: int, column: int) -> None:
    rows = by_definitions_of(name)
    row = rows[3 * place]
    row[column] += 1e-5 * (row[2] - row[1]) / 2.0
    assert not compare(name, make(), same_work(make())(), rows)


def test_our_interval_must_be_right_too_and_not_only_its_variances() -> None:
    ours = same_work(make())()
    ours[6][1] -= 1e-3 * (ours[6][2] - ours[6][1])
    assert not compare("gbstats", make(), ours, by_definitions_of("gbstats"))


def test_a_number_that_is_none_and_a_missing_row_are_noticed() -> None:
    ours, theirs = same_work(make())(), by_definitions_of("gbstats")
    assert not compare("gbstats", make(), ours, theirs[:-1])
    theirs[5][1] = math.nan
    assert not compare("gbstats", make(), ours, theirs)
