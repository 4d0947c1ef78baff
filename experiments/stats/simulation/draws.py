"""Draws what units bring between two ticks, in all runs at once."""

from dataclasses import dataclass

import numpy as np

from experiments.stats.core.arrays import Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.metrics.kind import MetricKind
from experiments.stats.planning import Baseline


@dataclass(slots=True)
class Arm:
    """One arm's metric in all runs: its truth, and totals until now.

    Shares of units are drawn as binomial counts, all else as normal sums, which a hundred units or more come close to;
    heavy tails that need more are what `capping` is for.
    """

    kind: MetricKind
    value: float
    unit_variance: float
    denominator: float
    units: float
    total: Floats

    @classmethod
    def of(cls, kind: MetricKind, baseline: Baseline, effect: float, runs: int) -> "Arm":
        """An arm whose metric differs from the baseline by a share of it.

        The spread goes with the value: means of values that all grow by a factor, and counts of events that come more
        often.
        """
        value = baseline.value * (1.0 + effect)
        scale = (1.0 + effect) ** 2 if kind.is_scaled else abs(1.0 + effect)
        denominator = baseline.denominator if kind.is_ratio else 1.0
        return cls(kind, value, baseline.unit_variance * scale, denominator, 0.0, np.zeros(runs))

    def grow(self, units: float, rng: np.random.Generator) -> None:
        """Add what new units bring, so that there are so many in all."""
        new = max(round(units) - round(self.units), 0)
        self.units = max(units, self.units)
        if self.kind.is_share:
            self.total = self.total + rng.binomial(new, min(max(self.value, 0.0), 1.0), self.total.size)
        else:
            spread = np.sqrt(new * self.unit_variance) * self.denominator
            self.total = self.total + rng.normal(new * self.value * self.denominator, spread, self.total.size)

    def sums(self, runs: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> SumsColumns:
        """Sums over units of these runs."""
        total, n, d = self.total[runs], np.full(runs.size, float(round(self.units))), self.denominator
        if self.kind.is_share:
            return SumsColumns(n, total, n, total, n, total)
        if self.kind.is_ratio and self.value >= 0.0:
            total = np.maximum(total, 0.0)
        squares = total**2 / n + (n - 1.0) * self.unit_variance * d**2
        return SumsColumns(n, total, n * d, squares, n * d**2, total * d)
