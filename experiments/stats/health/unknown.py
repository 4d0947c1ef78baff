"""Metrics whose values are told less often in one arm: there they are of other requests than in the other."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controlplane.problems.problem import Problem
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Evidence, Finding, Results, Severity, UnitSums, Verdict
from experiments.stats.health.findings import ALPHA, not_checked
from experiments.stats.health.missing import OutcomeGap, outcome_gaps

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Incomparable:
    """The (metric, candidate) pairs that decide nothing, with how often values are known in both arms.

    `unchecked` are the metrics of which that cannot be told; they hide no other.
    """

    gaps: Mapping[Cell, OutcomeGap]
    control: str
    unchecked: tuple[Finding, ...] = ()

    def findings(self) -> Iterator[Finding]:
        """A warning for each; a guardrail or goal among them is not shown, so that nothing is promoted."""
        yield from self.unchecked
        for (metric, variant), gap in self.gaps.items():
            yield Finding(
                Problem.of(
                    "unknown-by-arm",
                    f"{metric} {self._shares(variant, gap)}, so it decides nothing.",
                    f"Have both backends report it, or take {metric} out of the plan.",
                ),
                Severity.WARNING,
                metric,
                p_value=gap.p_value,
                log_e_value=gap.log_e_value,
            )

    def without(self, evidence: Evidence) -> Evidence:
        """The evidence without these pairs: neither their margin nor their harm can be shown."""
        return replace(evidence, sums={cell: sums for cell, sums in evidence.sums.items() if cell not in self.gaps})

    def noted(self, results: Results) -> Results:
        """The results with a note that says why these pairs say nothing."""
        return replace(
            results,
            metrics=tuple(
                replace(result, verdict=Verdict.INSUFFICIENT, note=f"It {self._shares(result.variant, gap)}.")
                if (gap := self.gaps.get((result.metric, result.variant)))
                else result
                for result in results.metrics
            ),
        )

    def _shares(self, variant: str, gap: OutcomeGap) -> str:
        return (
            f"is known for {gap.share:.1%} of the answered requests of {variant} and {gap.control_share:.1%} "
            f"of those of {self.control}"
        )


def incomparable(known: Mapping[str, Mapping[str, UnitSums]], control: str, *, alpha: float = ALPHA) -> Incomparable:
    """The pairs whose share of known values differs from the control's, at any look.

    `known` maps metrics to each variant's sums, Y the answered requests of a unit that tell the metric, D all of them.
    The sequential test is that of `outcome_gaps`; its e-value must reach pairs / alpha (Bonferroni).

    >>> told, half = UnitSums(500, 500, 500, 500, 500, 500), UnitSums(500, 250, 500, 250, 500, 250)
    >>> list(incomparable({"cost": {"control": told, "new": half}}, "control").gaps)
    [('cost', 'new')]
    """
    gaps: dict[Cell, OutcomeGap] = {}
    unchecked: list[Finding] = []
    for metric, arms in known.items():
        try:
            found = outcome_gaps(arms, control) if control in arms else ()
        except StatisticsError as error:
            unchecked.append(not_checked(f"How often {metric} is known", error.detail, error.next_step))
        else:
            gaps |= {(metric, gap.variant): gap for gap in found}
    threshold = math.log(max(len(gaps), 1) / alpha)
    clear = {cell: gap for cell, gap in gaps.items() if gap.log_e_value >= threshold}
    return Incomparable(clear, control, tuple(unchecked))
