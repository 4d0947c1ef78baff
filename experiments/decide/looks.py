"""When a look is due: on the last stage, each time that enough information has come in."""

from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.decide.wording import information_in_words
from experiments.stats.types import MetricResult

ROUNDING = 1e-9


def wait_for_look(situation: Situation) -> Decision | None:
    """Decide on promotion at looks alone: each one spends alpha, so they are as many as the plan says at the most."""
    if look_has_come(situation):
        return None
    number = 1 + max((len(looks) for looks in situation.state.looks.taken.values()), default=0)
    reason = f"{information_in_words(situation)}; each further {1 / situation.plan.looks:.0%} asks for a look."
    return Decision(DecisionKind.HOLD, f"before-look-{number}", reason)


def look_has_come(situation: Situation) -> bool:
    """Whether a goal or guardrail has a step more of its information than at its last look, or time is over."""
    return situation.time_is_over or any(_has_grown(situation, result) for result in situation.decisive)


def is_open(situation: Situation, result: MetricResult) -> bool:
    """Whether a later look may still show what this one did not."""
    return not situation.time_is_over and (result.information_fraction or 0.0) < 1.0


def _has_grown(situation: Situation, result: MetricResult) -> bool:
    fraction = min(result.information_fraction or 0.0, 1.0)
    looks = situation.state.looks.taken.get((result.metric, result.variant), ())
    before = looks[-1].fraction if looks else 0.0
    return fraction - before >= 1.0 / situation.plan.looks - ROUNDING or (fraction == 1.0 and before < 1.0)
