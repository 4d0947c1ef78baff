"""Cells of metrics that are adjusted by what units did before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.stats.core.arrays import Floats
from experiments.stats.core.types import Adjustment, Evidence
from experiments.stats.judging.cells import Arm, Cells

AS_MEASURED = Adjustment(0.0, 1.0, 0.0)


def adjusted(cells: Cells, evidence: Evidence, control: str) -> Cells:
    """The cells with what the past explains taken off both arms, where evidence has adjustments for both.

    Counts of events, weights of heavy units and the like stay as measured.
    """
    pairs = [
        (evidence.adjustments.get((metric.key, variant)), evidence.adjustments.get((metric.key, control)))
        for metric, variant in zip(cells.metrics, cells.variants, strict=True)
    ]
    both = [(one or AS_MEASURED, other or AS_MEASURED) if one and other else (AS_MEASURED,) * 2 for one, other in pairs]
    treated, untreated = (_Adjustments.of([pair[side] for pair in both]) for side in (0, 1))
    candidate, base = treated.applied(cells.candidate), untreated.applied(cells.control)
    spreads = [arm.estimates.variance * arm.estimates.units for arm in (cells.candidate, cells.control)]
    together = (spreads[0] * treated.kept + spreads[1] * untreated.kept) / (spreads[0] + spreads[1])
    pooled = replace(treated, shift=np.zeros_like(together), kept=np.where(np.isfinite(together), together, 1.0))
    errors = [_squared_error(*arms) for arms in ((cells.candidate, cells.control), (candidate, base))]
    is_adjusted = np.array([one is not None and other is not None for one, other in pairs], dtype=np.bool_)
    return replace(
        cells,
        candidate=candidate,
        control=base,
        pooled=pooled.applied(cells.pooled),
        common_variance=untreated.common,
        variance_removed=np.where(is_adjusted & cells.measured, 1.0 - errors[1] / errors[0], np.nan),
    )


def _squared_error(candidate: Arm, control: Arm) -> Floats:
    arms = (candidate.estimates, control.estimates)
    return np.asarray(sum(arm.variance / arm.units for arm in arms), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Adjustments:
    """Those of one arm of every cell."""

    shift: Floats
    kept: Floats
    common: Floats

    @classmethod
    def of(cls, found: Sequence[Adjustment]) -> "_Adjustments":
        rows = np.array([(each.shift, each.variance_kept, each.common_variance) for each in found], dtype=np.float64)
        return cls(*rows.reshape(len(found), 3).T)

    def applied(self, arm: Arm) -> Arm:
        value = arm.estimates.value - self.shift
        estimates, at_looks = (
            replace(each, value=value, variance=each.variance * self.kept) for each in (arm.estimates, arm.at_looks)
        )
        return replace(arm, estimates=estimates, at_looks=at_looks)
