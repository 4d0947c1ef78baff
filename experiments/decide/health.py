"""Hold while something is wrong with the records or the randomisation."""

from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.stats.types import Severity


def hold_on_findings(situation: Situation) -> Decision | None:
    """The gravest finding blocks advance and promotion; none ever blocks a halt."""
    blocking = [finding for finding in situation.results.findings if finding.severity is Severity.BLOCKS_PROMOTION]
    if not blocking:
        return None
    return Decision(DecisionKind.HOLD, blocking[0].code, f"{blocking[0].sentence} {blocking[0].next_step}")
