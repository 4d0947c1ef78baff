"""Metrics: what is measured, and which way is better."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from controlplane.api.fields import StrictModelSerializer
from controlplane.api.schema import READ_PROBLEMS
from controlplane.catalogue.resource import Line, Resource, Words
from controlplane.storage.legible_columns import broken_sentence
from controlplane.web.editing import VersionedForm
from controlplane.web.form_fields import LinesField
from experiments.evidence.conditions import CONDITION_COLUMNS
from experiments.evidence.measures import OF_REQUESTS
from experiments.metrics.define_metric import define_metric
from experiments.metrics.edit_metric import edit_metric
from experiments.metrics.remove_metric import remove_metric
from experiments.models import Metric, PlanMetric
from experiments.presenters.metric_uses import uses_of


class MetricForm(VersionedForm):
    """How one number is computed, and which way is better."""

    wide = ("description",)
    measures = OF_REQUESTS
    condition_columns = CONDITION_COLUMNS
    most_uses = 20

    @property
    def uses(self) -> list[PlanMetric]:
        """The newest plans that use it."""
        return list(uses_of(self.instance)[: self.most_uses]) if self.instance.pk else []

    class Meta:
        model = Metric
        fields: ClassVar = [
            "key",
            "name",
            "description",
            "owner",
            "type",
            "direction",
            "numerator",
            "denominator",
            "display_unit",
            "level",
            "cap",
            "window_from_hours",
            "window_to_hours",
            "settling_seconds",
            "conditions",
        ]
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 2})}
        help_texts: ClassVar = {
            "key": "Short and unique, like thumbs-up. It stays as it is.",
            "numerator": "A measure, like errors or outcome(thumbs-up).",
            "denominator": "A measure for ratios; for a classifier the outcome that is the label.",
            "level": "For quantiles, between 0 and 1, like 0.9.",
            "cap": "For means: the cap on one user's total, so that a few heavy users do not decide. "
            "Without one, harm in values that few users have passes unseen.",
            "window_to_hours": "Hours until which they count. A user counts once they have passed. Empty: no window.",
            "settling_seconds": "Longest time from a request to its outcomes. Empty: as it is measured.",
            "display_unit": "Shown behind the value, like ms. With % shares are shown in per cent.",
        }

    conditions = LinesField(
        required=False,
        help_text="One a line, like “edge is eu-1, eu-2” or “stream is true”. Only requests that meet all count. "
        "None: all.",
    )
    window_from_hours = forms.FloatField(
        label="Window from hours",
        required=False,
        initial=0,
        min_value=0,
        help_text="Hours after a user's first request from which outcomes or requests count.",
    )

    def clean_window_from_hours(self) -> float:
        """Nothing typed is the moment of the first request."""
        return self.cleaned_data["window_from_hours"] or 0.0


class MetricSerializer(StrictModelSerializer[Metric]):
    """How one number is computed from what happened."""

    default_guardrail = serializers.BooleanField(
        read_only=True,
        help_text="Whether every plan has it unless switched off by name; only name and description can be changed.",
    )

    class Meta:
        model = Metric
        fields = (*MetricForm.Meta.fields, "default_guardrail", "created_at", "broken")


class MetricUseSerializer(serializers.ModelSerializer[PlanMetric]):
    """A plan that uses the metric."""

    experiment = serializers.CharField(source="plan.experiment.key")
    state = serializers.CharField(source="plan.experiment.state", help_text="Where the experiment stands.")
    edition = serializers.IntegerField(
        source="edition.number",
        default=None,
        allow_null=True,
        help_text="Which edition of its meaning the plan was started with; null before, and for default guardrails.",
    )

    class Meta:
        model = PlanMetric
        fields = ("experiment", "state", "role", "edition")


class MetricCalls(GenericViewSet[Any]):
    """Where a metric is used."""

    @extend_schema(
        description="The plans that use it, newest first.",
        responses={200: MetricUseSerializer(many=True), **READ_PROBLEMS},
        filters=False,
    )
    @action(detail=True)
    def uses(self, request: Request, key: str) -> Response:
        """The plans that use it."""
        page = self.paginate_queryset(uses_of(self.get_object()))
        return self.get_paginated_response(MetricUseSerializer(page, many=True).data)


def _listed(metrics: QuerySet[Metric]) -> Mapping[str, Any]:
    """With how many plans use each."""
    counted = metrics.annotate(uses=Count("plans"))
    return {"lines": [Line(metric, broken_sentence(metric), {"uses": metric.uses}) for metric in counted]}


METRICS = Resource(
    rows=Metric.objects.all(),
    form=MetricForm,
    serializer=MetricSerializer,
    add=define_metric,
    edit=edit_metric,
    remove=remove_metric,
    words=Words(
        verb="define",
        added="is defined.",
        changed="is changed.",
        save="Save",
        removal="New plans cannot use it any more. A metric that a plan uses cannot be removed.",
        unused="that no plan uses",
        note="What it measures may change: plans that were started keep what it meant then, drafts and new plans take "
        "what it means now.",
    ),
    list_template="experiments/metrics.html",
    form_template="experiments/metric_form.html",
    listed=_listed,
    further_calls=(MetricCalls,),
)
