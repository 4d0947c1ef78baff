"""Before the start: what a plan needs, how long that takes, and what would come of it."""

from experiments.forecast.forecast import forecast
from experiments.forecast.stated import Stated, read_stated
from experiments.forecast.types import Forecast

__all__ = ["Forecast", "Stated", "forecast", "read_stated"]
