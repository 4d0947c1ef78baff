"""Halt when a guardrail is shown to be worse than its margin."""

from experiments.decide.said import compared, compared_since, margin_in_words, moment
from experiments.decide.types import Decision, DecisionKind, Plan, Situation
from experiments.stats.core.types import HarmSince, MetricResult, Results


def halt_on_harm(situation: Situation) -> Decision | None:
    """Halt at any tick: the test is anytime-valid, so looking often costs nothing."""
    return halted(situation.plan, situation.results) if situation.results.halt.reached else None


def halted(plan: Plan, results: Results) -> Decision:
    """The halt that follows from evidence of harm; it names the guardrail with the most of it, and since when."""
    stop = results.halt
    since = [*stop.later[:1], *stop.tails[:1]]
    reasons = [_harm_since(plan, harm) for harm in since]
    variant = since[0].variant if since else ""
    if not stop.later and (not stop.tails or stop.log_e_value >= stop.threshold):
        worst = max(results.metrics, key=lambda result: (result.harmed, result.log_harm or 0.0))
        reasons, variant = [f"{_harm(plan, worst)}.", *reasons], worst.variant
    return Decision(DecisionKind.HALT, "guardrail-harmed", " ".join(reasons), variant=variant)


def _harm_since(plan: Plan, harm: HarmSince) -> str:
    metric = next(metric for metric in (*plan.metrics, *plan.tails) if metric.key == harm.metric)
    since = f"Since {moment(harm.since)}, " if harm.since else ""
    return f"{since}{compared_since(harm, plan)}, worse than the accepted margin of {margin_in_words(metric, plan)}."


def halt_at_look(situation: Situation) -> Decision | None:
    """Halt at a look, which shows smaller harms than evidence at any time and has its own part of halt_alpha."""
    harmed = [result for result in situation.results.metrics if result.harmed_at_look]
    if not harmed:
        return None
    worst = max(harmed, key=lambda result: result.p_value or 0.0)
    reason = f"{_harm(situation.plan, worst)}, as look {situation.state.looks.number + 1} shows."
    return Decision(DecisionKind.HALT, "guardrail-harmed", reason, variant=worst.variant)


def _harm(plan: Plan, worst: MetricResult) -> str:
    metric = next(metric for metric in plan.metrics if metric.key == worst.metric)
    accepted = f"worse than the accepted margin of {margin_in_words(metric, plan)}"
    if worst.effect is None:
        return f"{plan.labels[worst.metric].name} is {accepted} for {worst.variant}"
    return f"{compared(worst, plan)}, {accepted}"
