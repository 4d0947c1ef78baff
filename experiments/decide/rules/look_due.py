"""When a look is due: on the last stage, each time that enough information has come in."""

from experiments.decide.said import information_in_words
from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.stats.core.types import MetricResult
from experiments.stats.sequential.due import halfway, look_is_due


def wait_for_look(situation: Situation) -> Decision | None:
    """Decide on promotion at looks alone: each one spends alpha, so they are as many as the plan says at the most."""
    if look_has_come(situation):
        return None
    reason = f"{information_in_words(situation)}; each further {1 / situation.plan.looks:.0%} asks for a look."
    return Decision(DecisionKind.HOLD, f"before-look-{situation.state.looks.number + 1}", reason)


def look_has_come(situation: Situation) -> bool:
    """Whether there is a step more of progress than at the last look, or the last look of all has come."""
    return look_is_due(
        progress(situation),
        progress_at_last_look(situation),
        taken=situation.state.looks.number,
        planned=situation.plan.looks,
        time_is_over=situation.time_is_over,
    )


def progress(situation: Situation) -> float:
    """Halfway between the largest and the smallest share that a goal or guardrail has of its information."""
    return halfway([_largest_share(situation, result) for result in situation.decisive])


def progress_at_last_look(situation: Situation) -> float:
    """The same at the look before; 0 if there was none."""
    return halfway([_share_at_last_look(situation, result) for result in situation.decisive])


def is_open(situation: Situation, result: MetricResult) -> bool:
    """Whether a later look may still show what this one did not."""
    return not situation.time_is_over and _largest_share(situation, result) < 1.0


def _largest_share(situation: Situation, result: MetricResult) -> float:
    """Information falls by chance too, and what was spent on it stays spent."""
    return max(min(result.information_fraction or 0.0, 1.0), _share_at_last_look(situation, result))


def _share_at_last_look(situation: Situation, result: MetricResult) -> float:
    looks = situation.state.looks.taken.get((result.metric, result.variant), ())
    return max((min(look.fraction, 1.0) for look in looks), default=0.0)
