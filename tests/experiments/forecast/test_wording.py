"""Numbers of a forecast as people say them."""

import pytest

from experiments.forecast.wording import about


@pytest.mark.parametrize(
    ("number", "said"),
    [(3.2, "3"), (9.6, "10"), (48.4, "48"), (833.0, "830"), (7612.0, "7,600"), (1.26e6, "1,300,000")],
)
def test_two_digits_mean_something(number: float, said: str) -> None:
    assert about(number) == said
