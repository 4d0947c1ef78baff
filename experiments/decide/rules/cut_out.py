"""What becomes of candidates that edges ejected: halted for good, or reinstated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.decide.types import Decision, DecisionKind
from routing.guard import Cut
from routing.guard.watch import exact_chance

CHANCE = 1e-4
"""The chance that equal arms differ as much, below which the edges' counts halt an experiment."""

MOST_ROUNDS = 2
"""How often a candidate is reinstated; one that edges eject again then is halted."""


@dataclass(frozen=True, slots=True)
class CutCount:
    """What all edges that ejected one candidate counted together: its requests, and its control's."""

    variant: str
    guard_round: int
    requests: int
    failures: int
    control_requests: int
    control_failures: int

    @classmethod
    def of(cls, variant: str, cuts: Iterable[Cut]) -> "CutCount":
        """Add up the cuts of a candidate in one round of the guard; those of other candidates say nothing of it."""
        own = [cut for cut in cuts if cut.variant == variant]
        return cls(
            variant,
            max(cut.guard_round for cut in own),
            sum(cut.requests for cut in own),
            sum(cut.failures for cut in own),
            sum(cut.control_requests for cut in own),
            sum(cut.control_failures for cut in own),
        )

    @property
    def chance(self) -> float:
        """The chance of such counts in equal arms, by Fisher's exact test; 1 where there was no control."""
        if not self.control_requests:
            return 1.0
        return exact_chance(self.failures, self.requests, self.control_failures, self.control_requests)

    @property
    def cause(self) -> str:
        """The code of the halt that it calls for; empty to reinstate it."""
        if self.chance <= CHANCE:
            return "guard"
        return "guard-again" if self.guard_round >= MOST_ROUNDS else ""

    def __str__(self) -> str:
        out = f"The edge ejected {self.variant}"
        counts = (
            f"{self.failures} of its latest {self.requests} requests failed, "
            f"and {self.control_failures} of the control's {self.control_requests}"
        )
        again = self.cause == "guard-again"
        return f"{out} {self.guard_round + 1} times; at last {counts}." if again else f"{out}: {counts}."


def heed(cuts: Sequence[Cut]) -> Decision | None:
    """The halt that edges' cuts of one experiment call for; None to reinstate its candidates.

    Each candidate is judged by itself. The counts of all edges that ejected it have to say by Fisher's exact test
    that the control fails less. Where no control was there to compare with, it gets another chance, twice. Where
    several candidates call for a halt, the one with the clearest counts is named first.
    """
    counted = [CutCount.of(variant, cuts) for variant in sorted({cut.variant for cut in cuts})]
    harmful = sorted((candidate for candidate in counted if candidate.cause), key=lambda candidate: candidate.chance)
    if not harmful:
        return None
    reason = " ".join(str(candidate) for candidate in harmful)
    return Decision(DecisionKind.HALT, harmful[0].cause, reason, harmful[0].variant)
