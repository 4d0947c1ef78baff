"""What the past takes off each metric of each variant, as the judge takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from experiments.stats.adjust.covariate import Adjusted, CovariateSums, adjust
from experiments.stats.core.types import Adjustment, Evidence, MetricResult, Results

ByVariant = Mapping[str, CovariateSums]


@dataclass(frozen=True, slots=True)
class Adjustments:
    """By (metric, variant) what comes off, and by metric why nothing does where something should."""

    found: Mapping[tuple[str, str], Adjustment] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def applied(self, evidence: Evidence) -> Evidence:
        """The evidence as it is to be judged."""
        return replace(evidence, adjustments=self.found)

    def noted(self, results: Results) -> Results:
        """The results with what is said of the metrics that are not adjusted."""
        return replace(results, metrics=tuple(map(self._noted, results.metrics))) if self.refused else results

    def _noted(self, result: MetricResult) -> MetricResult:
        return replace(result, not_adjusted=self.refused.get(result.metric, ""))


def adjustments(covariates: Mapping[str, ByVariant], control: str) -> Adjustments:
    """Adjust all variants of each metric by what their units did before, or none of them (see `adjust`).

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> past = rng.normal(10, 2, (2, 500))
    >>> new, old = (CovariateSums.of(each + rng.normal(0, 1, 500), each) for each in past)
    >>> found = adjustments({"cost": {"new": new, "old": old}}, "old").found
    >>> round(found["cost", "new"].variance_kept, 1)
    0.2
    """
    found: dict[tuple[str, str], Adjustment] = {}
    refused: dict[str, str] = {}
    for metric, variants in covariates.items():
        names = (*(name for name in variants if name != control), control)
        adjusted = _adjusted(variants, control)
        if adjusted is None:
            refused[metric] = "No users of both the control and a candidate are known yet."
        elif adjusted.note:
            refused[metric] = adjusted.note
        else:
            found |= {(metric, name): each for name, each in zip(_in_order(names), adjusted.arms, strict=True)}
    return Adjustments(found, refused)


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """A candidate, the control, and the other candidates."""
    first, *others, control = names
    return (first, control, *others)


def _adjusted(variants: ByVariant, control: str) -> Adjusted | None:
    names = (*(name for name in variants if name != control), control)
    if control not in variants or len(names) == 1:
        return None
    candidate, untreated, *others = (variants[name] for name in _in_order(names))
    return adjust(candidate, untreated, *others)
