"""One metric of one candidate beside the control."""

import math
from dataclasses import dataclass

from scipy import special

from experiments.stats.anytime import confidence_sequence, log_e_greater
from experiments.stats.contrast import Contrast, monitoring_error, promotion_error, squared_error
from experiments.stats.fixed_horizon import fieller, interval, p_greater
from experiments.stats.metrics import ESTIMATORS, ArmEstimate
from experiments.stats.types import (
    Direction,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricResult,
    Role,
    UnitSums,
    Verdict,
)

FEWEST_CONTRIBUTORS = 20.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and at which error rate its verdict is given."""

    plan: JudgePlan
    metric: MetricPlan
    variant: str
    alpha: float


@dataclass(frozen=True, slots=True)
class _Arms:
    """Both arms, measured."""

    candidate: ArmEstimate
    control: ArmEstimate
    denominators: tuple[float, float]


def compare(comparison: Comparison, candidate: UnitSums, control: UnitSums) -> MetricResult:
    """Effect, intervals, evidence of harm and verdict. Raises `ImpossibleSums`.

    Too few units, nothing measured or no variation at all is *insufficient*, with a note that says which.
    """
    estimate = ESTIMATORS[comparison.metric.type]
    measured = (estimate(candidate), estimate(control))
    if measured[0] is None or measured[1] is None:
        return _unmeasured(comparison, measured, candidate.units, control.units, "too few users have been measured")
    arms = _Arms(measured[0], measured[1], (candidate.sum_d, control.sum_d))
    error = promotion_error(arms.candidate, arms.control, arms.denominators, 1.0)
    if error == 0:
        return _unmeasured(comparison, measured, candidate.units, control.units, "all users have the same value")
    return _measured(comparison, arms, Contrast(arms.candidate.value - arms.control.value, error))


def _unmeasured(
    comparison: Comparison,
    measured: tuple[ArmEstimate | None, ArmEstimate | None],
    candidate_units: int,
    control_units: int,
    note: str,
) -> MetricResult:
    return MetricResult(
        metric=comparison.metric.key,
        role=comparison.metric.role,
        variant=comparison.variant,
        control_value=measured[1].value if measured[1] else None,
        variant_value=measured[0].value if measured[0] else None,
        control_units=control_units,
        variant_units=candidate_units,
        effect=None,
        relative=None,
        interval=None,
        relative_interval=None,
        anytime_interval=None,
        p_value=None,
        log_harm=None,
        harmed=False,
        verdict=Verdict.INSUFFICIENT,
        information_fraction=None,
        note=note,
    )


def _measured(comparison: Comparison, arms: _Arms, effect: Contrast) -> MetricResult:
    metric, candidate, control = comparison.metric, arms.candidate, arms.control
    tau = _tuning(metric, control.value)
    gain = _gain(metric, arms)
    note = _shortage(comparison, arms)
    p_value = p_greater(gain) if gain else None
    return MetricResult(
        metric=metric.key,
        role=metric.role,
        variant=comparison.variant,
        control_value=control.value,
        variant_value=candidate.value,
        control_units=control.units,
        variant_units=candidate.units,
        effect=effect.d,
        relative=effect.d / abs(control.value) if control.value else None,
        interval=interval(effect, comparison.plan.alpha),
        relative_interval=fieller(
            (candidate.value, math.sqrt(squared_error(candidate, arms.denominators[0]))),
            (control.value, math.sqrt(squared_error(control, arms.denominators[1]))),
            comparison.plan.alpha,
        ),
        anytime_interval=confidence_sequence(effect, tau, comparison.plan.alpha) if tau else None,
        p_value=p_value,
        log_harm=_log_harm(comparison, arms, tau),
        harmed=False,
        verdict=_verdict(p_value, comparison.alpha) if not note else Verdict.INSUFFICIENT,
        information_fraction=_information_fraction(comparison, gain, control.value),
        note=note,
    )


def _shortage(comparison: Comparison, arms: _Arms) -> str:
    """Why no verdict may be given yet; empty when one may."""
    fewest = min(arms.candidate.units, arms.control.units)
    if fewest < comparison.plan.minimum_units:
        return f"{fewest} of {comparison.plan.minimum_units} users"
    return ""


def _verdict(p_value: float | None, alpha: float) -> Verdict:
    """Shown, shown not to be so, or neither."""
    if p_value is None:
        return Verdict.INSUFFICIENT
    if p_value <= alpha:
        return Verdict.PASS
    return Verdict.FAIL if p_value >= 1 - alpha else Verdict.INSUFFICIENT


def _margin(metric: MetricPlan, control_value: float) -> float:
    """The accepted harm in the metric's own unit; zero for what is no guardrail."""
    if metric.role is not Role.GUARDRAIL:
        return 0.0
    return metric.margin * abs(control_value) if metric.margin_kind is MarginKind.RELATIVE else metric.margin


def _control_factor(metric: MetricPlan, control_value: float) -> float:
    """The control's coefficient k in the linear contrast candidate - k·control of a relative margin."""
    if metric.role is not Role.GUARDRAIL or metric.margin_kind is MarginKind.ABSOLUTE:
        return 1.0
    towards_harm = 1 if metric.direction is Direction.DECREASE else -1
    return 1 + towards_harm * math.copysign(metric.margin, control_value)


def _gain(metric: MetricPlan, arms: _Arms) -> Contrast | None:
    """How much better than the bar the candidate is: the margin for a guardrail, the control for the rest."""
    control = arms.control.value
    error = promotion_error(arms.candidate, arms.control, arms.denominators, _control_factor(metric, control))
    better = 1 if metric.direction is Direction.INCREASE else -1
    return Contrast(better * (arms.candidate.value - control) + _margin(metric, control), error) if error else None


def _tuning(metric: MetricPlan, control_value: float) -> float:
    """The effect that anytime-valid tests are tuned to: the larger of minimum effect and margin, in the metric's unit.

    Both come from the plan. A relative one is scaled by the control's value, which settles as units arrive and does not
    depend on the difference that is tested.
    """
    return max(metric.minimum_effect * abs(control_value), _margin(metric, control_value))


def _log_harm(comparison: Comparison, arms: _Arms, tau: float) -> float | None:
    """Log e-value against "no worse than the margin", once the normal limit may be relied on; None before."""
    metric = comparison.metric
    pooled = arms.candidate.contributors + arms.control.contributors
    too_early = _shortage(comparison, arms) != "" or pooled < FEWEST_CONTRIBUTORS
    if metric.role is not Role.GUARDRAIL or too_early or tau == 0:
        return None
    control = arms.control.value
    error = monitoring_error(arms.candidate, arms.control, _control_factor(metric, control))
    worse = 1 if metric.direction is Direction.DECREASE else -1
    harm = worse * (arms.candidate.value - control) - _margin(metric, control)
    return log_e_greater(Contrast(harm, error), tau) if error else None


def _information_fraction(comparison: Comparison, gain: Contrast | None, control_value: float) -> float | None:
    """Present information over ((z_{1-alpha} + z_{power}) / size)²; size is the margin or the minimum effect."""
    metric = comparison.metric
    guarded = metric.role is Role.GUARDRAIL
    size = _margin(metric, control_value) if guarded else metric.minimum_effect * abs(control_value)
    if gain is None or size == 0:
        return None
    z = float(special.ndtri(1 - comparison.alpha) + special.ndtri(comparison.plan.power))
    return gain.information * (size / z) ** 2
