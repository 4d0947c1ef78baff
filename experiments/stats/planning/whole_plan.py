"""How many units a whole plan needs: every metric asks its own question, and the most demanding one decides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.core.types import JudgePlan, MarginKind, MetricPlan, Role
from experiments.stats.judging.judgeable import check_plan
from experiments.stats.judging.looks import joint_power, level_of, price_of_looks
from experiments.stats.planning.baseline import Baseline
from experiments.stats.planning.sample_size import Question, units_needed

HEAVY, MARKEDLY = 2.0, 1.2
"""Users who send so many times the mean, and make so many times as many units needed, are worth a word."""


@dataclass(frozen=True, slots=True)
class MetricUnits:
    """What one metric of one candidate needs: units of the candidate, and so of the control.

    `heavy` is what heavy units send where that, as they may fail wholly, makes it need more, and else 0.
    """

    metric: str
    variant: str
    units: float
    control_units: float
    heavy: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedUnits:
    """What the plan needs. `total` counts all variants until `binding`, the most demanding metric, is answered."""

    metrics: tuple[MetricUnits, ...]
    binding: MetricUnits
    total: float


def planned_units(plan: JudgePlan, baselines: Mapping[str, Baseline]) -> PlannedUnits:
    """Units until each goal and guardrail is answered with the plan's power, at its shares and with its looks.

    Each test has its level of the plan (`level_of`), and the power with which all of a candidate pass together as often
    as planned.

    Raises:
        InvalidPlan: as `judge`.
        InvalidArgument: `baseline-missing`, `effect-zero`, `metrics-none`.

    >>> from experiments.stats.planning.baseline import share
    >>> from experiments.stats.core.types import Direction, MetricType
    >>> goal = MetricPlan("thumbs", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL, minimum_effect=0.1)
    >>> plan = JudgePlan((goal,), "control", {"control": 0.5, "new": 0.5}, looks=1)
    >>> round(planned_units(plan, {"thumbs": share(0.1)}).total)
    29502
    """
    check_plan(plan)
    decisive = [metric for metric in plan.metrics if metric.role is not Role.OBSERVED]
    require(bool(decisive), lambda: _error("metrics-none", "The plan has neither goals nor guardrails."))
    missing = sorted(metric.key for metric in decisive if metric.key not in baselines)
    require(not missing, lambda: _error("baseline-missing", f"No baseline is known for {', '.join(missing)}."))
    candidates = [variant for variant, share in plan.shares.items() if variant != plan.control and share]
    needs = tuple(
        metric_units(plan, metric, baselines[metric.key], variant) for metric in decisive for variant in candidates
    )
    binding = max(needs, key=lambda need: need.units / plan.shares[need.variant])
    return PlannedUnits(needs, binding, binding.units / plan.shares[binding.variant])


def question_of(plan: JudgePlan, metric: MetricPlan, variant: str) -> Question:
    """The question that a goal or guardrail asks of a candidate.

    >>> from experiments.stats.core.types import Direction, MetricType
    >>> guardrail = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
    >>> plan = JudgePlan((guardrail,), "control", {"control": 0.8, "new": 0.2}, looks=1)
    >>> round(question_of(plan, guardrail, "new").control_ratio, 6)
    4.0
    """
    return Question(
        level=level_of(plan, metric.role),
        power=joint_power(plan),
        control_ratio=plan.shares[plan.control] / plan.shares[variant],
        margin=0.0 if metric.role is Role.GOAL else metric.margin,
        margin_is_relative=metric.margin_kind is MarginKind.RELATIVE,
        inflation=price_of_looks(plan),
        heavy_may_fail=metric.counts_events and metric.role is Role.GUARDRAIL and metric.margin > 0.0,
    )


def metric_units(plan: JudgePlan, metric: MetricPlan, baseline: Baseline, variant: str) -> MetricUnits:
    """What one goal or guardrail of one candidate needs.

    Raises:
        InvalidArgument: `effect-zero`, `share-range`.

    >>> from experiments.stats.planning.baseline import share
    >>> from experiments.stats.core.types import Direction, MetricType
    >>> goal = MetricPlan("thumbs", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL, minimum_effect=0.1)
    >>> plan = JudgePlan((goal,), "control", {"control": 0.5, "new": 0.5}, looks=1)
    >>> round(metric_units(plan, goal, share(0.1), "new").units)
    14751
    """
    question = question_of(plan, metric, variant)
    effect = 0.0 if question.margin else metric.minimum_effect * abs(baseline.value)
    units = units_needed(baseline, effect, question)
    needs = MetricUnits(metric.key, variant, units, units * question.control_ratio)
    heaviest = baseline.heaviest(max(units, needs.control_units))
    without = units_needed(baseline, effect, replace(question, heavy_may_fail=False))
    is_heavy = heaviest >= HEAVY and units >= without * MARKEDLY
    return replace(needs, heavy=heaviest * baseline.denominator) if is_heavy else needs


def _error(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(code, detail, next_step="Give each goal and guardrail a baseline, and the plan one of them.")
