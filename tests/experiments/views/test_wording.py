"""Numbers as people read them."""

from datetime import timedelta
from math import inf

import pytest

from controlplane.web.shares import percent
from experiments.presenters.numbers import (
    about,
    amount,
    change,
    change_interval,
    difference,
    difference_interval,
)
from experiments.stats.core.types import Interval


@pytest.mark.parametrize(
    ("number", "unit", "words"),
    [
        (0.6789, "%", "67.9 %"),
        (812.4, "ms", "812 ms"),
        (1319.6, "ms", "1,320 ms"),
        (1234567.0, "", "1,234,567"),
        (0.000048, "", "0.000048"),
        (5.0, "", "5"),
        (0.0, "%", "0 %"),
        (-2.5, "points", "−2.5 points"),
    ],
)
def test_values_have_their_unit_and_no_exponent(number: float, unit: str, words: str) -> None:
    assert amount(number, unit) == words


@pytest.mark.parametrize(
    ("number", "unit", "words"),
    [
        (0.0024, "%", "+0.24 pp"),
        (-0.05, "%", "−5 pp"),
        (0.0, "ms", "+0 ms"),
        (-0.00000384, "", "−0.00000384"),
        (497.3, "ms", "+497 ms"),
        (12345.0, "", "+12,345"),
    ],
)
def test_differences_have_a_sign(number: float, unit: str, words: str) -> None:
    assert difference(number, unit) == words


@pytest.mark.parametrize(
    ("relative", "words"),
    [(0.042, "+4.2 %"), (-0.0104, "−1.0 %"), (4.524, "+452 %"), (0.0, "+0.0 %"), (12.0, "+1,200 %")],
)
def test_changes_have_a_sign(relative: float, words: str) -> None:
    assert change(relative) == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(-0.01, 0.091), "−1.0 to +9.1 %"),
        (Interval(-inf, 0.1), "no lower bound to +10.0 %"),
        (Interval(-0.1, inf), "−10.0 to no upper bound"),
        (Interval(-inf, inf), "no bounds yet"),
        (None, "no bounds yet"),
    ],
)
def test_open_ends_are_said_in_words(interval: Interval | None, words: str) -> None:
    assert change_interval(interval) == words


def test_intervals_of_differences_say_their_unit_at_both_ends() -> None:
    assert difference_interval(Interval(-0.004, 0.008), "%") == "−0.4 pp to +0.8 pp"
    assert difference_interval(Interval(-inf, 8.0), "ms") == "no lower bound to +8 ms"
    assert difference_interval(None, "ms") == "no bounds yet"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (90, "90 s"), (422, "7 min"), (9000, "2 hours"), (260_000, "3 days")],
)
def test_spans_of_time_are_whole(seconds: float, words: str) -> None:
    assert about(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(("share", "words"), [(0.5, "50 %"), (1 / 3, "33.3 %"), (0.00025, "0.025 %"), (1.0, "100 %")])
def test_shares_are_in_per_cent(share: float, words: str) -> None:
    assert percent(share) == words
