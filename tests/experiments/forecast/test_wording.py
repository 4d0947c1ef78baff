"""Numbers of a forecast as people say them."""

import pytest

from experiments.forecast.sentence import about, spelled


@pytest.mark.parametrize(
    ("number", "said"),
    [(3.2, "3"), (9.6, "10"), (833.0, "830"), (7612.0, "7,600"), (1.3e6, "1,300,000")],
)
def test_two_digits_mean_something(number: float, said: str) -> None:
    assert about(number) == said


@pytest.mark.parametrize(("days", "said"), [(3.2, "3 days"), (1.2, "29 hours"), (0.05, "72 minutes")])
def test_spans_are_in_the_largest_unit_that_fits(days: float, said: str) -> None:
    assert spelled(days) == said
