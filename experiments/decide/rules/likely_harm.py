"""Show a candidate to no more users while its harm is likely, though not yet sure enough to halt."""

from experiments.decide.said import compared
from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.stats.core.types import Direction, MarginKind, MetricPlan, MetricResult, Role


def hold_on_likely_harm(situation: Situation) -> Decision | None:
    """Stay on a stage while the interval of a guardrail, that of a single look, lies beyond its margin.

    Where harm is rare and large, like one answer in fifty that takes minutes, much has to come before it is sure at all
    times. Of candidates exactly at a margin it holds one in forty, until more is known.
    """
    if situation.on_last_stage:
        return None
    guardrails = {metric.key: metric for metric in situation.plan.metrics if metric.role is Role.GUARDRAIL}
    for result in situation.results.metrics:
        plan = guardrails.get(result.metric)
        if plan is not None and _is_beyond(plan, result):
            number = situation.state.stage_index + 1
            reason = (
                f"{compared(result, situation.plan)}: probably worse than its margin, and not surely yet. "
                f"Stage {number} lasts until more is known."
            )
            return Decision(DecisionKind.HOLD, f"likely-harm-{number}", reason)
    return None


def _is_beyond(plan: MetricPlan, result: MetricResult) -> bool:
    """Whether all of the interval is worse than the margin."""
    if result.interval is None or result.control_value is None:
        return False
    relative = plan.margin_kind is MarginKind.RELATIVE
    accepted = plan.margin * abs(result.control_value) if relative else plan.margin
    if plan.direction is Direction.INCREASE:
        return result.interval.high < -accepted
    return result.interval.low > accepted
