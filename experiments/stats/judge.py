"""From sums to verdicts: the one entry to the statistics."""

import math
from dataclasses import replace

from scipy import special

from experiments.stats.comparison import Comparison, compare
from experiments.stats.errors import UnusableShares
from experiments.stats.sample_ratio import sample_ratio
from experiments.stats.types import Evidence, Halt, JudgePlan, MetricPlan, MetricResult, Results, Role, UnitSums

NOTHING = UnitSums(0, 0.0, 0.0, 0.0, 0.0, 0.0)
SHARE_TOLERANCE = 1e-6


def judge(plan: JudgePlan, evidence: Evidence, *, look: bool) -> Results:
    """Judge every metric of every candidate against the control, the split of units, and the case for a halt.

    Verdicts of metrics are made for one planned look (`look`); at a tick they are shown and only `halt` may be acted
    on, whose test stays valid at every look. Raises `UnusableShares` and `ImpossibleSums`.
    """
    _check_shares(plan)
    candidates = [variant for variant in plan.shares if variant != plan.control]
    results = tuple(_result(plan, evidence, metric, variant) for metric in plan.metrics for variant in candidates)
    halt = _halt(results, plan.halt_alpha)
    named = tuple(replace(result, harmed=(result.metric, result.variant) in halt.blamed) for result in results)
    return Results(named, sample_ratio(plan.shares, evidence.units), halt)


def _check_shares(plan: JudgePlan) -> None:
    shares = plan.shares.values()
    if plan.control not in plan.shares or min(shares) <= 0 or abs(sum(shares) - 1) > SHARE_TOLERANCE:
        raise UnusableShares(f"Shares must be positive, sum to one and name the control: {dict(plan.shares)}.")


def _result(plan: JudgePlan, evidence: Evidence, metric: MetricPlan, variant: str) -> MetricResult:
    control = evidence.sums.get((metric.key, plan.control), NOTHING)
    candidate = evidence.sums.get((metric.key, variant), NOTHING)
    goals = sum(other.role is Role.GOAL for other in plan.metrics) * (len(plan.shares) - 1)
    # Every guardrail must pass, so their errors do not add up; any goal that passes by chance would be an error.
    alpha = plan.alpha / goals if metric.role is Role.GOAL else plan.alpha
    return compare(Comparison(plan, metric, variant, alpha), candidate, control)


def _halt(results: tuple[MetricResult, ...], alpha: float) -> Halt:
    """Mean of the guardrails' e-values over guardrails and candidates, against 1 / alpha.

    The mean of e-values is an e-value whatever their dependence (Vovk & Wang, arXiv 1912.06116), so the chance to halt
    a rollout that does no harm is at most alpha over all guardrails, candidates and looks together.
    """
    guardrails = [result for result in results if result.role is Role.GUARDRAIL]
    threshold = math.log(1 / alpha)
    if not guardrails:
        return Halt(-math.inf, threshold, reached=False, blamed=())
    logs = [result.log_harm if result.log_harm is not None else 0.0 for result in guardrails]
    log_mean = float(special.logsumexp(logs)) - math.log(len(logs))
    reached = log_mean >= threshold
    clear = [r for r, log_e in zip(guardrails, logs, strict=True) if log_e - math.log(len(logs)) >= threshold]
    worst = [max(guardrails, key=lambda result: result.log_harm or 0.0)] if reached and not clear else clear
    return Halt(log_mean, threshold, reached, tuple((result.metric, result.variant) for result in worst))
