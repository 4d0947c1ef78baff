"""Computing what may not be computable, so that one number that is missing does not take all others with it."""

from collections.abc import Callable
from typing import TypeVar

from experiments.forecast.types import Obstacle
from experiments.stats.core.errors import StatisticsError

Found = TypeVar("Found")


def attempt(compute: Callable[[], Found]) -> Found | Obstacle:
    """What is computed, or why it cannot be."""
    try:
        return compute()
    except StatisticsError as error:
        return Obstacle.of(error.code, error.detail, error.next_step)
    except (ArithmeticError, ValueError, RuntimeError) as error:
        return Obstacle.of(
            "out-of-range",
            f"The numbers are too large or too small to compute with: {error}.",
            "State the values in another unit, and check them.",
        )
