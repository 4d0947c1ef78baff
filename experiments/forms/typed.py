"""A spec as it would be typed: what the sheet of a draft holds when it is opened."""

from collections.abc import Mapping
from typing import Any

from experiments.forms.experiment_forms import DAY, MINUTE, ONE_PERCENT, PLAN_NUMBERS, typed_in_percent
from experiments.forms.spec_fields import typed_number
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS

Spec = Mapping[str, Any]


def typed_form(spec: Spec) -> dict[str, Any]:
    """All but the rows."""
    plan, control, guard = spec["plan"], spec["control"], spec["guard"]
    return {
        **{name: spec[name] for name in ("key", "name", "hypothesis", "kind", "endpoint", "audience")},
        "traffic": typed_number(spec["traffic"]),
        "control": control["backend"],
        **{f"control_{name}": control[name] for name in ("key", "weight", "headers", "query")},
        "watched": [key for key in DEFAULT_MARGINS if key not in plan["switched_off"]],
        **{name: typed_number(plan[name], per=ONE_PERCENT) for name in ("alpha", "halt_alpha", "power")},
        **{name: typed_number(plan[name]) for name in PLAN_NUMBERS},
        "maximum_days": typed_number(plan["maximum_seconds"], per=DAY),
        "spending": plan["spending"],
        "guarded": guard is not None,
        **({} if guard is None else _guard(guard)),
    }


def typed_candidates(spec: Spec) -> list[dict[str, Any]]:
    """One row a candidate."""
    return [dict(candidate) for candidate in spec["candidates"]]


def typed_stages(spec: Spec) -> list[dict[str, Any]]:
    """One row a stage."""
    return [
        {"coverage": typed_number(stage["coverage"]), "soak_minutes": typed_number(stage["soak_seconds"], per=MINUTE)}
        for stage in spec["plan"]["stages"]
    ]


def typed_metrics(spec: Spec) -> list[dict[str, Any]]:
    """One row a metric that the plan lists."""
    metrics = {metric.key: metric for metric in Metric.objects.all()}
    return [_metric(row, metrics.get(row["metric"])) for row in spec["plan"]["metrics"]]


def _metric(row: Spec, metric: Metric | None) -> dict[str, Any]:
    in_percent = metric is not None and typed_in_percent(metric, row["margin_kind"])
    return {
        **row,
        "margin": typed_number(row["margin"], per=ONE_PERCENT if in_percent else 1),
        "minimum_effect": typed_number(row["minimum_effect"], per=ONE_PERCENT),
    }


def _guard(guard: Spec) -> dict[str, Any]:
    typed = {f"guard_{name}": typed_number(value) for name, value in guard.items()}
    return {**typed, "guard_failing_share": typed_number(guard["failing_share"], per=ONE_PERCENT)}
