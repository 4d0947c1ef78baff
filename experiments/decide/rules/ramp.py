"""Go to the next stage once the present one is done."""

from experiments.decide.said import duration
from experiments.decide.types import Decision, DecisionKind, Situation
from routing.table import BasisPoints


def advance(situation: Situation) -> Decision | None:
    """Advance when the stage has soaked, has its users, and no guardrail is shown to be worse."""
    if situation.on_last_stage:
        return None
    upcoming = situation.plan.stages[situation.state.stage_index + 1]
    reason = (
        f"No guardrail is worse than its margin after {duration(situation.soaked)} on stage "
        f"{situation.state.stage_index + 1} with {situation.fewest_units:,} users of its own in the smallest variant; "
        f"coverage goes to {BasisPoints(upcoming.coverage).percent:g} %."
    )
    return Decision(DecisionKind.ADVANCE, f"advance-{situation.state.stage_index + 1}", reason)
