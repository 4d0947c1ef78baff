"""A spec as it would be typed: what the sheet of a draft holds when it is opened."""

from collections.abc import Mapping
from typing import Any

from experiments.forms.experiment_forms import CandidateRow, ExperimentForm, MetricRow, StageRow, margin_unit
from experiments.forms.spec_fields import typed_number, typed_values
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS

Spec = Mapping[str, Any]


def typed_form(spec: Spec) -> dict[str, Any]:
    """All but the rows."""
    return {
        **typed_values(ExperimentForm.spec_fields(), spec),
        "watched": [key for key in DEFAULT_MARGINS if key not in spec["plan"]["switched_off"]],
        "guarded": spec["guard"] is not None,
    }


def typed_candidates(spec: Spec) -> list[dict[str, Any]]:
    """One row a candidate."""
    return [typed_values(CandidateRow.spec_fields(), candidate) for candidate in spec["candidates"]]


def typed_stages(spec: Spec) -> list[dict[str, Any]]:
    """One row a stage."""
    return [typed_values(StageRow.spec_fields(), stage) for stage in spec["plan"]["stages"]]


def typed_metrics(spec: Spec) -> list[dict[str, Any]]:
    """One row a metric that the plan lists."""
    metrics = {metric.key: metric for metric in Metric.objects.all()}
    return [_metric(row, metrics.get(row["metric"])) for row in spec["plan"]["metrics"]]


def _metric(row: Spec, metric: Metric | None) -> dict[str, Any]:
    per = margin_unit(metric, row["margin_kind"])
    return {**typed_values(MetricRow.spec_fields(), row), "margin": typed_number(row["margin"], per=per)}
