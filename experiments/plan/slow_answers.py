"""Answers that take far longer than usual: what halts beside the guardrail of latency, in every plan that has it."""

from dataclasses import dataclass, replace

from experiments.decide.types import Label
from experiments.evidence import MetricDefinition
from experiments.evidence.own_metrics import above_eased
from experiments.stats.core.types import MarginKind, MetricPlan

LATENCY = "latency"
COLUMN = "duration_ms"
MARGIN = 0.005
"""So many more of all answers are accepted, as of failures."""

THRESHOLDS_MS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000)
"""One of them is below what is ten times the control's and above four times: steps of 2 to 2.5."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Answers over a threshold in milliseconds, and over a lower one for the control, beside their guardrail."""

    guardrail: MetricPlan
    threshold: float

    @property
    def of_control(self) -> float:
        """The duration that a candidate at the guardrail's margin makes as long as the threshold."""
        if self.guardrail.margin_kind is MarginKind.ABSOLUTE:
            return self.threshold - self.guardrail.margin
        return self.threshold / (1.0 + self.guardrail.margin)

    @property
    def key(self) -> str:
        """A name that no metric may have."""
        return f"{self.guardrail.key} over {self.threshold:g} ms"

    @property
    def label(self) -> Label:
        """How people call it."""
        own, other = (f"{each / 1000.0:.3g} s" for each in (self.threshold, self.of_control))
        return Label(f"The share of answers that took more than {own} ({other} for the control)", "%")

    @property
    def plan(self) -> MetricPlan:
        """As the judge takes it."""
        accepted = replace(self.guardrail, margin=MARGIN, margin_kind=MarginKind.ABSOLUTE, minimum_effect=0.5)
        return replace(accepted, key=self.key, counts_events=True)

    def definition(self, control: str) -> MetricDefinition:
        """How it is computed from the lake."""
        return above_eased(self.key, COLUMN, self.threshold, (control, self.of_control))


def tails_of(latency: MetricPlan) -> tuple[Tail, ...]:
    """The thresholds that tell what is slow beyond the margin of the guardrail, the lowest first."""
    tails = (Tail(latency, threshold) for threshold in THRESHOLDS_MS)
    return tuple(tail for tail in tails if tail.of_control > 0.0)
