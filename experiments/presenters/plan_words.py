"""The plan in words."""

from collections.abc import Mapping
from datetime import timedelta

from controlplane.web.shares import percent
from experiments.decide.said import duration, margin_in_words
from experiments.lifecycle.promoted import prospect
from experiments.models import PlanMetric
from experiments.models.experiment import ENDED_STATES
from experiments.plan.spec import GuardSpec
from experiments.presenters.page_reads import Dossier
from experiments.stats.core.types import Role
from routing.table import BasisPoints


def metric_in_words(dossier: Dossier, plan_metric: PlanMetric) -> str:
    """What the plan asks of a metric."""
    margin = margin_of(dossier, plan_metric)
    smallest = f"smallest effect {percent(plan_metric.minimum_effect)}"
    since = "measured as when the plan was started, and defined anew since" if plan_metric.changed_since else ""
    only = " and ".join(plan_metric.meaning.conditions)
    past = f"adjusted by up to {plan_metric.plan.covariate_days} days before" if plan_metric.covariate else ""
    return ", ".join(filter(None, (margin, smallest, only and f"only requests where {only}", past, since)))


def margin_of(dossier: Dossier, plan_metric: PlanMetric) -> str:
    """The harm that the plan accepts; empty for what is no guardrail."""
    metric = next(metric for metric in dossier.plan.metrics if metric.key == plan_metric.metric.key)
    if metric.role is not Role.GUARDRAIL:
        return ""
    return f"margin {margin_in_words(metric, dossier.plan)}" if metric.margin else "no margin"


def plan_facts(dossier: Dossier) -> list[tuple[str, str]]:
    """Error rates, rhythm and limits, each with its name."""
    plan = dossier.experiment.plan
    return [
        ("Traffic", f"{percent(BasisPoints(dossier.experiment.traffic).share)} of users take part"),
        ("Audience", " and ".join(dossier.experiment.audience) or "everybody"),
        *([] if dossier.experiment.state in ENDED_STATES else [("Winner", prospect(dossier.experiment))]),
        ("False promotion", f"at most {percent(plan.alpha)}"),
        ("False halt", f"at most {percent(plan.halt_alpha)}"),
        ("Power", percent(plan.power)),
        ("Looks", f"at most {plan.looks}, {plan.get_spending_display()}"),
        ("Users", f"at least {plan.minimum_units:,} a variant"),
        ("Analysed every", duration(timedelta(seconds=plan.tick_seconds))),
        ("Gives up after", duration(dossier.plan.maximum)),
        ("Edges eject", _guard_in_words(dossier.experiment.guard)),
        *([("Also shown by", ", ".join(plan.dimensions))] if plan.dimensions else []),
        *([("Not watched", ", ".join(off))] if (off := _not_watched(dossier)) else []),
    ]


def _not_watched(dossier: Dossier) -> list[str]:
    """Guardrails that are switched off; one that is listed as such guards all the same."""
    listed = {metric.key for metric in dossier.plan.metrics if metric.role is Role.GUARDRAIL}
    return [key for key in dossier.experiment.plan.switched_off if key not in listed]


def _guard_in_words(guard: Mapping[str, float] | None) -> str:
    if guard is None:
        return "nobody: the guard is off"
    told = {**GuardSpec().model_dump(), **guard}
    failing = f"of the latest {told['requests']} requests within {told['window_seconds']:g} s"
    late = f", or begin to be answered after {told['first_byte_ms']:g} ms" if told["first_byte_ms"] else ""
    return f"a candidate once {failing} {percent(told['failing_share'])} fail{late}"
