"""Stored plans as the pure cores take them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from django.db.models import Exists, Max, OuterRef

from controlplane.problems.errors import Unavailable
from controlplane.problems.problem import Problem
from controlplane.storage.legible_columns import Broken
from experiments.decide.types import ExperimentState, Label, Plan, StagePlan
from experiments.evidence import MetricDefinition, Past, counts_events, may_have_past
from experiments.lifecycle.clock import soaked, still_spans
from experiments.models import Decision, Experiment, Metric, PlanMetric, State
from experiments.models.default_guardrails import Meaning
from experiments.models.metric import MetricMeaning
from experiments.plan.slow_answers import LATENCY, Tail, tails_of
from experiments.stats.core.spending import Family, Look, Spending
from experiments.stats.core.types import (
    Direction,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    PastLooks,
    Role,
    Verdict,
)
from experiments.stats.health.sample_ratio import likeliest_shares
from experiments.stats.metrics.windows import Window
from experiments.stored_results import read_seen
from routing.kill_switch.stops import stops_since
from routing.table import shares_at

HOUR = 3600.0
NOBODY: Mapping[str, int] = MappingProxyType({})

LONGEST_ANSWER = timedelta(minutes=5)
"""How long an answer is waited for where the endpoint sets no limit."""


def pure_plan(experiment: Experiment) -> Plan:
    """The frozen plan of an experiment."""
    variants = list(experiment.variants.all())
    plan_metrics = _plan_metrics(experiment)
    tails = _tails(experiment)
    labels = {m.metric.key: Label(m.metric.name, m.meaning.display_unit) for m in plan_metrics}
    return Plan(
        stages=tuple(
            StagePlan(stage.coverage, timedelta(seconds=stage.soak_seconds)) for stage in experiment.plan.stages.all()
        ),
        metrics=tuple(_metric_plan(plan_metric) for plan_metric in plan_metrics),
        labels=labels | {tail.key: tail.label for tail in tails},
        control=_control(experiment),
        candidates=tuple(variant.key for variant in variants if not variant.is_control),
        maximum=timedelta(seconds=experiment.plan.maximum_seconds),
        minimum_units=experiment.plan.minimum_units,
        looks=experiment.plan.looks,
        longest_answer=timedelta(seconds=experiment.endpoint.timeout_seconds) or LONGEST_ANSWER,
        tails=tuple(tail.plan for tail in tails),
    )


def pure_state(experiment: Experiment, now: datetime) -> ExperimentState:
    """Where a started experiment stands at a moment, with the looks that were taken.

    Both times are as if the clock had not stood still since: later by what the kill switch and pauses took.
    """
    looks, unread = _looks_or_problem(experiment)
    stops = stops_since(experiment.endpoint_id, experiment.started_at or now)
    still = still_spans(experiment, stops, experiment.started_at)
    return ExperimentState(
        paused=experiment.state == State.PAUSED,
        stage_index=experiment.stage_index,
        stage_entered_at=now - soaked(experiment.stage_entered_at, still, now),
        started_at=now - soaked(experiment.started_at, still, now),
        looks=looks,
        unread=unread,
    )


def _looks_or_problem(experiment: Experiment) -> tuple[PastLooks, Problem | None]:
    try:
        return past_looks(experiment), None
    except Unavailable as error:
        return PastLooks(), error.problem


def past_looks(experiment: Experiment) -> PastLooks:
    """What each look saw and showed of each metric and candidate, oldest first.

    What a look could not measure counts as seen at the look before. An analysis that would have been a look, and was
    lost before anything was decided on it, has spent nothing. Raises `Unavailable` as `read_seen` does.
    """
    taken: dict[tuple[str, str], tuple[Look, ...]] = {}
    shown: set[tuple[str, str]] = set()
    asked = _judged(experiment)
    looks = experiment.analyses.filter(Exists(Decision.objects.filter(analysis=OuterRef("pk"))), look=True)
    for results in looks.order_by("id").values_list("results", flat=True):
        for result in read_seen(results, asked):
            name = result.metric, result.variant
            if result.verdict is Verdict.PASS:
                shown.add(name)
            looks_before = taken.get(name, ())
            if result.information:
                look = Look(result.information, min(result.information_fraction or 0.0, 1.0))
                taken[name] = (*looks_before, look)
            elif looks_before:
                taken[name] = (*looks_before, looks_before[-1])
    return PastLooks(taken, frozenset(shown))


def _judged(experiment: Experiment) -> set[tuple[str, str]]:
    """Each goal and guardrail with each candidate."""
    candidates = [variant.key for variant in experiment.variants.all() if not variant.is_control]
    decisive = [each for each in _plan_metrics(experiment) if each.role != Role.OBSERVED]
    return {(each.metric.key, candidate) for each in decisive for candidate in candidates}


def judge_plan(experiment: Experiment, plan: Plan, units: Mapping[str, int] = NOBODY) -> JudgePlan:
    """The part of the plan that the statistics need, for units by variant that were seen."""
    return JudgePlan(
        metrics=plan.metrics,
        control=plan.control,
        shares=likeliest_shares(shares_by_stage(experiment), units),
        alpha=experiment.plan.alpha,
        halt_alpha=experiment.plan.halt_alpha,
        power=experiment.plan.power,
        minimum_units=experiment.plan.minimum_units,
        looks=experiment.plan.looks,
        spending=Spending(Family(experiment.plan.spending)),
        tails={LATENCY: tuple(tail.plan for tail in tails)} if (tails := _tails(experiment)) else {},
    )


def shares_by_stage(experiment: Experiment) -> list[dict[str, float]]:
    """The share of each variant of the users who are in, on each stage until now: by its weight, before the start.

    Buckets are whole: 5 % of 1 % of the users by weights of 3 and 1 are 4 buckets and 1.
    """
    weights = {variant.key: variant.weight for variant in experiment.variants.all()}
    by_weight = {key: weight / sum(weights.values()) for key, weight in weights.items()}
    if experiment.started_at is None:
        return [by_weight]
    stages = list(experiment.plan.stages.all())[: experiment.stage_index + 1]
    try:
        widths = [shares_at(experiment.traffic, list(weights.values()), stage.coverage) for stage in stages]
    except (ArithmeticError, TypeError):
        # Rows may be broken, and harm is judged all the same.
        widths = []
    return [dict(zip(weights, shares, strict=True)) for shares in widths] or [by_weight]


def metric_definitions(experiment: Experiment) -> tuple[MetricDefinition, ...]:
    """How each metric of the plan is computed from the lake, and each tail of one."""
    control = _control(experiment)
    past = _past(experiment) if any(each.covariate for each in _plan_metrics(experiment)) else None
    tails = (tail.definition(control) for tail in _tails(experiment))
    return (*(_with_past(each, past) for each in _plan_metrics(experiment)), *tails)


def _past(experiment: Experiment) -> Past | None:
    """What metrics with a covariate are adjusted by; None before the start.

    Users may be in the same variants as in an experiment before, whose harm would be taken for their nature: the past
    begins where the last one there ended.
    """
    began = experiment.started_at
    if began is None:
        return None
    since = began - timedelta(days=experiment.plan.covariate_days)
    before = experiment.endpoint.experiments.filter(ended_at__gt=since, ended_at__lte=began)
    last = before.aggregate(last=Max("ended_at"))["last"]
    return Past(experiment.endpoint.key, last or since)


def _with_past(plan_metric: PlanMetric, past: Past | None) -> MetricDefinition:
    definition = definition_in_plan(plan_metric)
    return replace(definition, past=past) if plan_metric.covariate and may_have_past(definition) else definition


def definition_in_plan(plan_metric: PlanMetric) -> MetricDefinition:
    """How a metric of a plan is computed from the lake: as it was when the plan was started."""
    return _definition(plan_metric.metric.key, plan_metric.meaning)


def metric_definition(metric: Metric) -> MetricDefinition:
    """How one metric is computed from the lake, as it is now."""
    return _definition(metric.key, metric.meaning)


def _definition(key: str, meaning: MetricMeaning | Meaning) -> MetricDefinition:
    ends = meaning.window_to_hours
    return MetricDefinition(
        key=key,
        type=MetricType(meaning.type),
        numerator=meaning.numerator,
        denominator=meaning.denominator or None,
        level=meaning.level,
        cap=meaning.cap,
        window=Window(meaning.window_from_hours * HOUR, ends * HOUR) if ends is not None else None,
        settling_seconds=meaning.settling_seconds,
        conditions=_conditions(meaning),
    )


def _conditions(meaning: MetricMeaning | Meaning) -> tuple[str, ...]:
    """Its conditions; what cannot be read is no condition, and is refused by who measures."""
    told = meaning.conditions
    return (str(told.content),) if isinstance(told, Broken) else tuple(told)


def _plan_metrics(experiment: Experiment) -> list[PlanMetric]:
    return list(experiment.plan.metrics.select_related("metric", "edition"))


def _control(experiment: Experiment) -> str:
    return next(variant.key for variant in experiment.variants.all() if variant.is_control)


def _tails(experiment: Experiment) -> tuple[Tail, ...]:
    guarded = [m for m in _plan_metrics(experiment) if m.metric.key == LATENCY and m.role == Role.GUARDRAIL]
    return tails_of(_metric_plan(guarded[0])) if guarded else ()


def _metric_plan(plan_metric: PlanMetric) -> MetricPlan:
    return MetricPlan(
        key=plan_metric.metric.key,
        type=MetricType(plan_metric.meaning.type),
        direction=Direction(plan_metric.meaning.direction),
        role=Role(plan_metric.role),
        margin=plan_metric.margin,
        margin_kind=MarginKind(plan_metric.margin_kind),
        minimum_effect=plan_metric.minimum_effect,
        counts_events=counts_events(definition_in_plan(plan_metric)),
    )
