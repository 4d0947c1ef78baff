"""Forms of metrics and of drafts."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Model, Q
from django.forms.formsets import formset_factory

from controlplane.models import AuditEvent
from controlplane.web.editing import Difference, VersionedForm
from controlplane.web.form_fields import LinesField, PairsField
from experiments.forms.spec_fields import number_field, spec_number, spending_field
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.models.experiment import Kind
from experiments.models.plan import ROLE_CHOICES
from experiments.plan.spec import LARGEST, GuardSpec, PlanSpec, VariantSpec
from experiments.stats.core.types import MarginKind, Role
from routing.models import IN_USE, KEY_VALIDATOR, Backend, Endpoint

PARAMETERS = ("headers", "query")
ANY = Q()
PERCENT = 100
ONE_PERCENT = 0.01
MINUTE = 60
DAY = 86_400
PLAN_NUMBERS = ("minimum_units", "tick_seconds", "looks")
"""Numbers of a plan that are typed as the spec has them."""
MARGIN_UNITS = [
    (MarginKind.RELATIVE.value, "% of the control"),
    (MarginKind.ABSOLUTE.value, "own unit"),
]


class KeyedChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice among things with a key and a name; the key is what is sent."""

    def __init__(self, model: type[Model], *, among: Q = ANY, **options: Any) -> None:
        options = {"to_field_name": "key", "empty_label": "Choose…", **options}
        super().__init__(model._default_manager.filter(among), **options)

    def label_from_instance(self, obj: Any) -> str:
        """Name and key, for keys alone say little to those who did not choose them."""
        return f"{obj.name} ({obj.key})"


class MetricForm(VersionedForm):
    """How one number is computed, and which way is better."""

    class Meta:
        model = Metric
        fields: ClassVar = [
            "key",
            "name",
            "description",
            "type",
            "numerator",
            "denominator",
            "level",
            "cap",
            "window_from_hours",
            "window_to_hours",
            "settling_seconds",
            "direction",
            "display_unit",
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


def _default_in_words(key: str) -> str:
    """A guardrail of every plan and its margin, in percentage points."""
    return f"{key}: at most {DEFAULT_MARGINS[key] * PERCENT:g} percentage points more than the control"


class ExperimentForm(forms.Form):
    """Everything about a draft but its candidates, metrics and stages, which are rows of their own.

    A page of one that is there holds the version that it was made of, and what was opened then.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.differences: list[Difference] = []
        self.last_change: AuditEvent | None = None

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    opened = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(
        max_length=63, validators=[KEY_VALIDATOR], help_text="Short and unique, like chat-v2-canary. It stays as it is."
    )
    name = forms.CharField(max_length=100)
    hypothesis = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What you expect to happen, and why.",
    )
    kind = forms.ChoiceField(choices=Kind.choices)
    endpoint = KeyedChoiceField(Endpoint)
    traffic = forms.FloatField(
        label="Traffic, %",
        help_text="Users of the endpoint that take part.",
        initial=100,
        min_value=0.02,
        max_value=100,
    )
    audience = LinesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One condition on headers a line, like “x-country is DE, FR”. None: everybody.",
    )
    control = KeyedChoiceField(
        Backend, among=IN_USE, label="Control backend", help_text="The version that users get today."
    )
    control_key = forms.CharField(
        max_length=63, validators=[KEY_VALIDATOR], initial="control", help_text="What it is called in rows and results."
    )
    control_weight = number_field(VariantSpec, "weight")
    control_headers = PairsField(
        required=False, label="Headers for the control", help_text="One “name: value” a line, like “x-prompt: v2”."
    )
    control_query = PairsField(
        required=False,
        label="Query parameters for the control",
        help_text="One “name: value” a line, like “temperature: 0.2”.",
    )
    watched = forms.MultipleChoiceField(
        label="Also watched in every plan",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(key, _default_in_words(key)) for key in DEFAULT_MARGINS],
        initial=list(DEFAULT_MARGINS),
        help_text="Guardrails that need no row above; one that has a row counts as it says there.",
    )
    alpha = number_field(PlanSpec, "alpha", per=ONE_PERCENT, label="False promotion, %", max_value=49)
    halt_alpha = number_field(PlanSpec, "halt_alpha", per=ONE_PERCENT, label="False halt, %", max_value=49)
    power = number_field(PlanSpec, "power", per=ONE_PERCENT, label="Power, %")
    minimum_units = number_field(PlanSpec, "minimum_units", label="Users at least")
    maximum_days = number_field(PlanSpec, "maximum_seconds", per=DAY, label="Days at most")
    tick_seconds = number_field(PlanSpec, "tick_seconds", label="Seconds between analyses")
    looks = number_field(PlanSpec, "looks")
    spending = spending_field()
    guarded = forms.BooleanField(
        required=False,
        initial=True,
        label="Edges eject a failing candidate by themselves",
        help_text="Within seconds, and without waiting for an analysis.",
        widget=forms.CheckboxInput(attrs={"value": "on"}),
    )
    guard_requests = number_field(GuardSpec, "requests", label="Latest requests", required=False)
    guard_failing_share = number_field(
        GuardSpec, "failing_share", per=ONE_PERCENT, label="Failing, %", min_value=0.01, required=False
    )
    guard_window_seconds = number_field(
        GuardSpec, "window_seconds", label="Window, seconds", min_value=0.001, required=False
    )
    guard_first_byte_ms = number_field(GuardSpec, "first_byte_ms", label="Latest first byte, ms", required=False)

    @property
    def has_parameters(self) -> bool:
        """Whether the control is more than a backend, and that has to be seen."""
        parameters = any(self[f"control_{part}"].value() for part in PARAMETERS)
        return parameters or str(self["control_weight"].value()) != "1" or _is_wrong(self, "control_")

    @property
    def has_own_guard(self) -> bool:
        """Whether looks or guard are other than by default, and have to be seen."""
        names = [name for name in self.fields if name.startswith("guard") or name in ("looks", "spending")]
        return any(str(self[name].value()) != str(self.fields[name].initial) for name in names)


def _is_wrong(form: forms.Form, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in (form.errors if form.is_bound else {}))


class CandidateRow(forms.Form):
    """One candidate; its key is what results and decisions call it."""

    key = forms.CharField(label="Candidate key", max_length=63, validators=[KEY_VALIDATOR])
    backend = KeyedChoiceField(Backend, among=IN_USE, label="Candidate backend")
    weight = number_field(VariantSpec, "weight", help_text="")
    headers = PairsField(required=False, label="Headers for the candidate")
    query = PairsField(required=False, label="Query parameters for the candidate")

    @property
    def has_parameters(self) -> bool:
        """Whether headers or query parameters are typed, and have to be seen."""
        return any(self[part].value() for part in PARAMETERS)

    def spec(self) -> dict[str, Any]:
        """The row as the spec has it. The row must be valid."""
        return {**self.cleaned_data, "backend": self.cleaned_data["backend"].key}


def typed_in_percent(metric: Metric, margin_kind: str) -> bool:
    """Whether a margin is typed in per cent, of the control or of all."""
    return margin_kind == MarginKind.RELATIVE or metric.meaning.display_unit == "%"


class MetricRow(forms.Form):
    """One metric of the plan; shares and relative sizes are typed in per cent."""

    metric = KeyedChoiceField(Metric)
    role = forms.ChoiceField(choices=[(value, label.split(":")[0]) for value, label in ROLE_CHOICES])
    margin = forms.FloatField(min_value=0, max_value=LARGEST, initial=5)
    margin_kind = forms.ChoiceField(choices=MARGIN_UNITS, label="Margin is in")
    minimum_effect = forms.FloatField(label="Effect, %", min_value=0.0001, max_value=LARGEST, initial=5)

    def spec(self) -> dict[str, Any]:
        """The row as the plan's spec has it; only a guardrail has a margin. The row must be valid."""
        data = self.cleaned_data
        in_percent = typed_in_percent(data["metric"], data["margin_kind"])
        margin = spec_number(data["margin"], per=ONE_PERCENT) if in_percent else data["margin"]
        return {
            "metric": data["metric"].key,
            "role": data["role"],
            "margin": margin if data["role"] == Role.GUARDRAIL else 0,
            "margin_kind": data["margin_kind"],
            "minimum_effect": spec_number(data["minimum_effect"], per=ONE_PERCENT),
        }


class StageRow(forms.Form):
    """One stage of the ramp."""

    coverage = forms.FloatField(label="Coverage, %", min_value=0.01, max_value=100)
    soak_minutes = forms.FloatField(label="Soak, minutes", min_value=0, max_value=90 * 1440)

    def spec(self) -> dict[str, Any]:
        """The row as the plan's spec has it. The row must be valid."""
        return {
            "coverage": self.cleaned_data["coverage"],
            "soak_seconds": round(self.cleaned_data["soak_minutes"] * MINUTE),
        }


CandidateRows = formset_factory(CandidateRow, extra=0, min_num=1, validate_min=True, max_num=10, absolute_max=10)
MetricRows = formset_factory(MetricRow, extra=0, min_num=1, validate_min=True, max_num=100, absolute_max=100)
StageRows = formset_factory(StageRow, extra=0, min_num=1, validate_min=True, max_num=50, absolute_max=50)

FIRST_CANDIDATES = [{"key": "candidate", "weight": 1}]
# Half a point of all requests: with a whole one, errors that double from 1 % would be accepted, and so never halted; a
# share of the control's errors would brake there too, and ask for a hundred thousand users where errors are rare.
FIRST_METRICS = [
    {"metric": "error-rate", "role": "guardrail", "margin": 0.5, "margin_kind": "absolute", "minimum_effect": 50},
    {"metric": "latency", "role": "guardrail", "margin": 10, "margin_kind": "relative", "minimum_effect": 10},
]
FIRST_STAGES = [
    {"coverage": 5, "soak_minutes": 60},
    {"coverage": 25, "soak_minutes": 60},
    {"coverage": 50, "soak_minutes": 60},
    {"coverage": 100, "soak_minutes": 1440},
]


class PromotionForm(forms.Form):
    """Why a person promotes; the candidate comes with the page."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the decision log, together with your name.",
    )
