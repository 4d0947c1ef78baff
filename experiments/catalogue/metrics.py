"""Metrics: what is measured, and which way is better."""

from typing import ClassVar

from django import forms
from rest_framework import serializers

from controlplane.api.fields import StrictModelSerializer
from controlplane.catalogue.resource import Resource, Words
from controlplane.web.editing import VersionedForm
from experiments.evidence.measures import OF_REQUESTS
from experiments.metrics.define_metric import define_metric
from experiments.metrics.edit_metric import edit_metric
from experiments.metrics.remove_metric import remove_metric
from experiments.models import Metric


class MetricForm(VersionedForm):
    """How one number is computed, and which way is better."""

    wide = ("description",)
    measures = OF_REQUESTS

    class Meta:
        model = Metric
        fields: ClassVar = [
            "key",
            "name",
            "description",
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

    window_from_hours = forms.FloatField(
        label="Window from hours",
        required=False,
        initial=0,
        min_value=0,
        help_text="Hours after a user's first request from which outcomes count.",
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
    ),
    list_template="experiments/metrics.html",
    form_template="experiments/metric_form.html",
)
