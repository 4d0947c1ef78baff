"""What came of the runs of one scenario."""

import math
from dataclasses import dataclass

import numpy as np

from experiments.stats.core.arrays import Flags, Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """Chances and means over `runs` simulated rollouts of one scenario.

    `promote`, `halt` and `inconclusive` sum to 1. `hours` is the mean duration, and `candidate_units` the mean number
    of units that all candidates served until the end: those exposed to the harm, if there is one. `units_until_halt` is
    the same over halted runs alone; NaN where there is none.
    """

    scenario: str
    promote: float
    halt: float
    inconclusive: float
    hours: float
    candidate_units: float
    runs: int
    units_until_halt: float = math.nan

    def standard_error(self, chance: float) -> float:
        """How far a chance may be off for the number of runs.

        >>> Outcome("no effect", 0.5, 0.1, 0.4, 1.0, 1.0, 400).standard_error(0.5)
        0.025
        """
        return math.sqrt(chance * (1.0 - chance) / self.runs)


@dataclass(slots=True)
class Runs:
    """Where each run stands; `hours` is NaN while it is under way, and `shown` has shape (runs, cells)."""

    promoted: Flags
    halted: Flags
    hours: Floats
    candidate_units: Floats
    shown: Flags

    @classmethod
    def of(cls, count: int, cells: int) -> "Runs":
        """So many runs, all under way, with nothing shown of any cell."""
        no, unknown = np.zeros(count, dtype=np.bool_), np.full(count, np.nan)
        return cls(no, no.copy(), unknown, np.zeros(count), np.zeros((count, cells), dtype=np.bool_))

    @property
    def under_way(self) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
        """Places of the runs that have not ended."""
        return np.flatnonzero(np.isnan(self.hours))

    def end(self, places: "np.ndarray[tuple[int], np.dtype[np.intp]]", hours: float, units: float) -> None:
        """End these runs at this time, with so many units of the candidates."""
        self.hours[places], self.candidate_units[places] = hours, units

    def outcome(self, scenario: str) -> Outcome:
        """What came of all runs, once all have ended."""
        promote, halt = float(self.promoted.mean()), float(self.halted.mean())
        return Outcome(
            scenario,
            promote,
            halt,
            1.0 - promote - halt,
            float(self.hours.mean()),
            float(self.candidate_units.mean()),
            self.hours.size,
            float(self.candidate_units[self.halted].mean()) if halt else math.nan,
        )
