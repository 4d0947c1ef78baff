"""Halt when a guardrail is shown to be worse than its margin."""

from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.decide.wording import compared, margin_in_words
from experiments.stats.types import MetricResult


def halt_on_harm(situation: Situation) -> Decision | None:
    """Halt at any tick: the test is anytime-valid, so looking often costs nothing."""
    if not situation.results.halt.reached:
        return None
    worst = _worst(situation)
    plan = next(metric for metric in situation.plan.metrics if metric.key == worst.metric)
    reason = (
        f"{compared(worst, situation.plan)}, worse than the accepted margin of {margin_in_words(plan, situation.plan)}."
    )
    return Decision(DecisionKind.HALT, "guardrail-harmed", reason, variant=worst.variant)


def _worst(situation: Situation) -> MetricResult:
    """The guardrail with the most evidence of harm."""
    measured = [result for result in situation.results.metrics if result.log_harm is not None]
    return max(measured, key=lambda result: (result.harmed, result.log_harm or 0.0))
