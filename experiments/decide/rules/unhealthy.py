"""Hold while something is wrong with the records, the randomisation or the looks before, or nothing comes."""

from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.stats.core.types import Severity

SILENCE = "no-new-data"
"""The finding that no requests come any more."""


def hold_on_findings(situation: Situation) -> Decision | None:
    """The gravest finding blocks advance, promotion and looks; none ever blocks a halt on evidence at any time."""
    blocking = [finding for finding in situation.results.findings if finding.severity is Severity.BLOCKS_PROMOTION]
    if not blocking:
        return None
    return Decision(DecisionKind.HOLD, blocking[0].code, blocking[0].problem.advice)


def hold_without_looks(situation: Situation) -> Decision | None:
    """Look no further where looks before cannot be read: nobody knows what of alpha they spent."""
    problem = situation.state.unread
    return Decision(DecisionKind.HOLD, problem.code, problem.advice) if problem else None


def hold_on_silence(situation: Situation) -> Decision | None:
    """Go no further while no requests come, until time is over: then there is what there is."""
    silence = [finding for finding in situation.results.findings if finding.code == SILENCE]
    if not silence or situation.time_is_over:
        return None
    return Decision(DecisionKind.HOLD, SILENCE, silence[0].problem.advice)
