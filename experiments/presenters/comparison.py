"""Every metric of every candidate beside the control: lines of a table, rows of a forest plot."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.charts.forest import ForestRow
from experiments.course.points import relative_anytime, relative_interval
from experiments.decide.said import compared_since
from experiments.models import PlanMetric
from experiments.plan.slow_answers import LATENCY
from experiments.presenters.numbers import amount, change, change_interval, difference, difference_interval
from experiments.presenters.page_reads import Dossier
from experiments.presenters.plan_words import margin_of
from experiments.stats.core.types import (
    Direction,
    Interval,
    MarginKind,
    MetricPlan,
    MetricResult,
    Role,
    Verdict,
)

TONES = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.INSUFFICIENT: "wait"}
WORDS = {
    (Role.GOAL, Verdict.PASS): "shown to be better",
    (Role.GOAL, Verdict.FAIL): "shown to be worse",
    (Role.GUARDRAIL, Verdict.PASS): "shown to be within its margin",
    (Role.GUARDRAIL, Verdict.FAIL): "shown to be worse than its margin",
}


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One line of the table of results, all in words."""

    name: str
    role: str
    better: str
    margin: str
    candidate: str
    control_value: str
    candidate_value: str
    users: str
    difference: str
    difference_interval: str
    change: str
    change_interval: str
    tone: str
    verdict: str
    meaning: str


def metric_lines(dossier: Dossier) -> list[MetricLine]:
    """The table of results, in the order of the plan; empty before the first analysis."""
    by_key = _plan_metrics(dossier)
    results = dossier.results.metrics if dossier.results else ()
    return [_line(dossier, by_key[result.metric], result) for result in results if result.metric in by_key]


def forest_rows(dossier: Dossier) -> list[ForestRow]:
    """The metrics that have an effect relative to the control."""
    plans = {metric.key: metric for metric in dossier.plan.metrics}
    results = dossier.results.metrics if dossier.results else ()
    return [
        _forest_row(dossier, plans[result.metric], result, result.relative)
        for result in results
        if result.metric in plans and result.relative is not None
    ]


def accepted_harm(plan: MetricPlan, result: MetricResult) -> Interval | None:
    """The margin as an interval of relative effects that starts at zero; None when there is none to show."""
    if plan.role is not Role.GUARDRAIL or plan.margin == 0 or not result.control_value:
        return None
    relative = plan.margin_kind is MarginKind.RELATIVE
    size = plan.margin if relative else plan.margin / abs(result.control_value)
    return Interval(0.0, size) if plan.direction is Direction.DECREASE else Interval(-size, 0.0)


def _plan_metrics(dossier: Dossier) -> Mapping[str, PlanMetric]:
    return {plan_metric.metric.key: plan_metric for plan_metric in dossier.metrics}


def _line(dossier: Dossier, plan_metric: PlanMetric, result: MetricResult) -> MetricLine:
    unit = plan_metric.meaning.display_unit
    observed = result.role is Role.OBSERVED
    meaning = "decides nothing" if observed else WORDS.get((result.role, result.verdict), "the data cannot say yet")
    return MetricLine(
        name=plan_metric.metric.name,
        role=result.role.value,
        better="higher is better" if plan_metric.meaning.direction == Direction.INCREASE else "lower is better",
        margin=margin_of(dossier, plan_metric),
        candidate=result.variant if len(dossier.candidates) > 1 else "",
        control_value=_value(result.control_value, unit),
        candidate_value=_value(result.variant_value, unit),
        users=f"{result.control_units:,} and {result.variant_units:,} users",
        difference="" if result.effect is None else difference(result.effect, unit),
        difference_interval="" if result.effect is None else difference_interval(result.interval, unit),
        change="" if result.relative is None else change(result.relative),
        change_interval="" if result.relative is None else change_interval(relative_interval(result)),
        tone="" if observed else TONES[result.verdict],
        verdict="Observed" if observed else result.verdict.capitalize(),
        meaning="; ".join([meaning, *filter(None, [result.note, _adjusted(result)]), *_tails(dossier, result)]),
    )


def _adjusted(result: MetricResult) -> str:
    """Whether it is adjusted by the past, in words."""
    if result.not_adjusted:
        return f"not adjusted for what users did before: {result.not_adjusted}"
    if result.variance_removed is None:
        return ""
    return f"adjusted for what users did before, which removed {result.variance_removed:.0%} of the variance"


def _tails(dossier: Dossier, result: MetricResult) -> list[str]:
    """What is harmed in a tail of its values, in words: the clearest."""
    harmed = dossier.results.halt.tails if dossier.results and result.harmed else ()
    names = {tail.key for tail in dossier.plan.tails} if result.metric == LATENCY else set()
    found = [harm for harm in harmed if harm.metric in names and harm.variant == result.variant]
    return [compared_since(harm, dossier.plan) for harm in found[:1]]


def _forest_row(dossier: Dossier, plan: MetricPlan, result: MetricResult, relative: float) -> ForestRow:
    name = dossier.plan.labels[result.metric].name
    interval = relative_interval(result)
    return ForestRow(
        label=f"{name}, {result.variant}" if len(dossier.candidates) > 1 else name,
        effect=relative,
        interval=interval,
        anytime=relative_anytime(result),
        accepted=accepted_harm(plan, result),
        verdict=Verdict.INSUFFICIENT if result.role is Role.OBSERVED else result.verdict,
        effect_text=change(relative),
        interval_text=f"({change_interval(interval)})",
    )


def _value(number: float | None, unit: str) -> str:
    return "not measured" if number is None else amount(number, unit)
