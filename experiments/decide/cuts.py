"""What becomes of a candidate that edges took out by themselves: halted for good, or given back."""

from collections.abc import Sequence

from experiments.decide.types import Decision, DecisionKind
from routing.guard import Cut
from routing.guard.watch import exact_chance

CHANCE = 1e-4
"""The chance that equal arms differ as much, below which the edges' counts halt an experiment."""

MOST_ROUNDS = 2
"""How often a candidate is given back; one that edges take out again then is halted."""


def heed(cuts: Sequence[Cut]) -> Decision | None:
    """The halt that edges' cuts of one experiment in one round call for; None to give the candidate back.

    The counts of all edges together have to say by Fisher's exact test that the control fails less. Where no control
    was there to compare with, the candidate gets another chance, twice.
    """
    requests, failures = sum(cut.requests for cut in cuts), sum(cut.failures for cut in cuts)
    others, other_failures = sum(cut.control_requests for cut in cuts), sum(cut.control_failures for cut in cuts)
    counts = f"{failures} of its latest {requests} requests failed, and {other_failures} of the control's {others}"
    if others and exact_chance(failures, requests, other_failures, others) <= CHANCE:
        return Decision(DecisionKind.HALT, "guard", f"The edge took {cuts[0].variant} out: {counts}.", cuts[0].variant)
    if cuts[0].guard_round >= MOST_ROUNDS:
        reason = f"The edge took {cuts[0].variant} out {cuts[0].guard_round + 1} times; at last {counts}."
        return Decision(DecisionKind.HALT, "guard-again", reason, cuts[0].variant)
    return None
