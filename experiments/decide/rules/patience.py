"""Rules that wait, and the one that stops waiting."""

from experiments.decide.said import duration
from experiments.decide.types import Decision, DecisionKind, Situation


def wait_while_paused(situation: Situation) -> Decision | None:
    """A paused experiment keeps its traffic and its guardrails, and goes no further."""
    if not situation.state.paused:
        return None
    return Decision(DecisionKind.HOLD, "paused", "Paused by a person; guardrails are still watched.")


def wait_for_soak(situation: Situation) -> Decision | None:
    """Stay on a stage for as long as the plan says."""
    if situation.soaked >= situation.stage.soak:
        return None
    number = situation.state.stage_index + 1
    reason = f"Stage {number} of {len(situation.plan.stages)} soaks for {duration(situation.stage.soak)}."
    return Decision(DecisionKind.HOLD, f"soaking-{number}", reason)


def wait_for_answers(situation: Situation) -> Decision | None:
    """Stay until requests of the stage that hang are known: they are counted when they end, by their time limit."""
    shortest = situation.plan.answers_known
    if situation.soaked >= shortest:
        return None
    number = situation.state.stage_index + 1
    reason = (
        f"Answers may take {duration(situation.plan.longest_answer)}, and are counted when they end: stage "
        f"{number} lasts {duration(shortest)} at least."
    )
    return Decision(DecisionKind.HOLD, f"answers-under-way-{number}", reason)


def wait_for_units(situation: Situation) -> Decision | None:
    """Leave no stage before the smallest arm has the users that the plan asks for, with a request since it began."""
    minimum, number = situation.plan.minimum_units, situation.state.stage_index + 1
    if situation.fewest_units >= minimum:
        return None
    reason = (
        f"Since stage {number} began, {situation.fewest_units:,} of the {minimum:,} users that the plan asks for came "
        "to the smallest variant."
    )
    return Decision(DecisionKind.HOLD, f"few-units-{number}", reason)


def give_up(situation: Situation, decision: Decision) -> Decision | None:
    """End an experiment that is still under way when its time is over; absence of evidence never promotes.

    It does not advance any more either: no time is left in which a later stage could tell anything.
    """
    under_way = decision.kind in (DecisionKind.HOLD, DecisionKind.ADVANCE)
    if not under_way or situation.state.paused or not situation.time_is_over:
        return None
    reason = f"No verdict within {duration(situation.plan.maximum)}. At the end: {decision.reason}"
    return Decision(DecisionKind.INCONCLUSIVE, "time-over", reason)
