"""Forms of drafts."""

from typing import Any

from django import forms
from django.forms.formsets import formset_factory

from controlplane.models import AuditEvent
from controlplane.web.editing import Difference
from experiments.forms.draft_fields import CANDIDATE, DRAFT, METRIC, ONE_PERCENT, STAGE
from experiments.forms.spec_fields import SpecForm, spec_number
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.stats.core.types import MarginKind

PERCENT = 100


def _default_in_words(key: str) -> str:
    """A guardrail of every plan and its margin, in percentage points or in per cent of the control."""
    accepted = DEFAULT_MARGINS[key]
    unit = "%" if accepted.margin_kind is MarginKind.RELATIVE else "percentage points"
    return f"{key}: at most {accepted.margin * PERCENT:g} {unit} more than the control"


class ExperimentForm(SpecForm):
    """Everything about a draft but its candidates, metrics and stages, which are rows of their own.

    A page of one that is there holds the version that it was made of, and what was opened then.
    """

    spec_groups = DRAFT

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    opened = forms.CharField(required=False, widget=forms.HiddenInput)
    watched = forms.MultipleChoiceField(
        label="Also watched in every plan",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(key, _default_in_words(key)) for key in DEFAULT_MARGINS],
        initial=list(DEFAULT_MARGINS),
        help_text="Guardrails of every plan. A row above for one of them counts instead.",
    )
    guarded = forms.BooleanField(
        required=False,
        initial=True,
        label="Edges eject a failing candidate by themselves",
        help_text="Within seconds, and without waiting for an analysis.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.differences: list[Difference] = []
        self.last_change: AuditEvent | None = None

    @property
    def has_own_guard(self) -> bool:
        """Whether looks or guard are other than by default, and have to be seen."""
        return bool({"looks", "guard"} & self.unusual) or self.is_unusual("guarded")


class CandidateRow(SpecForm):
    """One candidate; its key is what results and decisions call it."""

    spec_groups = CANDIDATE


class MetricRow(SpecForm):
    """One metric of the plan; shares and relative sizes are typed in per cent."""

    spec_groups = METRIC

    def spec(self, part: str = "") -> dict[str, Any]:
        """The row as the plan's spec has it. The row must be valid."""
        row = super().spec(part)
        per = margin_unit(self.cleaned_data["metric"], row["margin_kind"])
        return {**row, "margin": spec_number(row["margin"], per=per)}


def margin_unit(metric: Metric | None, margin_kind: str) -> float:
    """What one typed is of a margin: a per cent, of the control or of all, or one of the metric's own unit."""
    in_percent = metric is not None and (margin_kind == MarginKind.RELATIVE or metric.meaning.display_unit == "%")
    return ONE_PERCENT if in_percent else 1


class StageRow(SpecForm):
    """One stage of the ramp."""

    spec_groups = STAGE


CandidateRows = formset_factory(CandidateRow, extra=0, min_num=1, validate_min=True, max_num=10, absolute_max=10)
MetricRows = formset_factory(MetricRow, extra=0, min_num=1, validate_min=True, max_num=100, absolute_max=100)
StageRows = formset_factory(StageRow, extra=0, min_num=1, validate_min=True, max_num=50, absolute_max=50)


class PromotionForm(forms.Form):
    """Why a person promotes; the candidate comes with the page."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the decision log, together with your name.",
    )
