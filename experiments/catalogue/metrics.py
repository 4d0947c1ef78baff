"""Metrics: what is measured, and which way is better."""

from typing import ClassVar

from django import forms
from rest_framework import serializers

from controlplane.api.fields import StrictModelSerializer
from controlplane.catalogue.resource import Resource, Words
from controlplane.web.editing import VersionedForm
from experiments.metrics.define_metric import define_metric
from experiments.metrics.edit_metric import edit_metric
from experiments.metrics.remove_metric import remove_metric
from experiments.models import Metric


class MetricForm(VersionedForm):
    """How one number is computed, and which way is better."""

    wide = ("description",)

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
            "cap": "For means: the most that one user's total counts, so that a few heavy users decide nothing.",
            "window_to_hours": "And up to this long. A user counts once it has passed. Empty: no window.",
            "settling_seconds": "How long after a request its outcomes may come. Empty: as it is measured.",
            "display_unit": "Shown behind the value, like ms. With % shares are shown in per cent.",
        }

    window_from_hours = forms.FloatField(
        label="Window from hours",
        required=False,
        initial=0,
        min_value=0,
        help_text="Outcomes count from this long after a user's first request on.",
    )

    def clean_window_from_hours(self) -> float:
        """Nothing typed is the moment of the first request."""
        return self.cleaned_data["window_from_hours"] or 0.0


class MetricSerializer(StrictModelSerializer[Metric]):
    """How one number is computed from what happened."""

    default_guardrail = serializers.BooleanField(
        read_only=True,
        help_text="Whether every plan has it until it is switched off by name; only its name and description change.",
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
        removal="New plans cannot use it any more. One that a plan uses is kept.",
        unused="that no plan uses",
    ),
    list_template="experiments/metrics.html",
    form_template="experiments/metric_form.html",
)
