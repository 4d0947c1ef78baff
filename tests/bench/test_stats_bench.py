"""The bench compares like with like: its input is the same each time, and a difference is noticed."""

from bench.stats.__main__ import apart, compare
from bench.stats.inputs import METRICS, VARIANTS, make
from bench.stats.worker import judged, same_work


def test_the_input_is_the_same_each_time_and_another_seed_gives_another() -> None:
    assert make() == make()
    assert make(1) != make(2)
    assert len(make()) == METRICS


def test_the_judge_and_its_comparable_part_say_the_same() -> None:
    metrics = make()
    whole, part = judged(metrics)(), same_work(metrics)()
    assert len(whole) == len(part) == METRICS * (len(VARIANTS) - 1)
    assert max(apart(one, other) for one, other in zip(whole, part, strict=True)) < 1e-9


def test_numbers_that_differ_are_noticed() -> None:
    rows = same_work(make())()
    assert compare("gbstats", rows, rows)
    shifted = [[row[0] + 1e-3 * (row[2] - row[1]), *row[1:]] for row in rows]
    assert not compare("gbstats", rows, shifted)
