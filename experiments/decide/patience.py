"""Rules that wait, and the one that stops waiting."""

from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.decide.wording import duration


def wait_while_paused(situation: Situation) -> Decision | None:
    """A paused experiment keeps its traffic and its guardrails, and goes no further."""
    if not situation.state.paused:
        return None
    return Decision(DecisionKind.HOLD, "paused", "Paused by a person; guardrails are still watched.")


def wait_for_soak(situation: Situation) -> Decision | None:
    """Stay on a stage for as long as the plan says."""
    if situation.soaked_seconds >= situation.stage.soak_seconds:
        return None
    number = situation.state.stage_index + 1
    reason = f"Stage {number} of {len(situation.plan.stages)} soaks for {duration(situation.stage.soak_seconds)}."
    return Decision(DecisionKind.HOLD, f"soaking-{number}", reason)


def wait_for_units(situation: Situation) -> Decision | None:
    """Decide nothing before the smallest arm has the users that the plan asks for."""
    minimum = situation.plan.minimum_units
    if situation.fewest_units >= minimum:
        return None
    reason = f"The smallest variant has fewer than the {minimum:,} users that the plan asks for."
    return Decision(DecisionKind.HOLD, f"few-units-{situation.state.stage_index + 1}", reason)


def give_up(situation: Situation, decision: Decision) -> Decision | None:
    """End an experiment that is still waiting when its time is over; absence of evidence never promotes."""
    if decision.kind is not DecisionKind.HOLD or situation.state.paused or not situation.time_is_over:
        return None
    reason = f"No verdict within {duration(situation.plan.maximum_seconds)}. At the end: {decision.reason}"
    return Decision(DecisionKind.INCONCLUSIVE, "time-over", reason)
