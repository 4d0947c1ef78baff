"""Forms of metrics and of new experiments."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Model, Q
from django.forms.formsets import formset_factory

from controlplane.web.editing import VersionedForm
from controlplane.web.form_fields import LinesField, PairsField
from experiments.models import Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.models.experiment import Kind
from experiments.models.plan import ROLE_CHOICES
from experiments.plan.spec import LARGEST
from experiments.stats.core.types import MarginKind, Role
from routing.models import IN_USE, KEY_VALIDATOR, Backend, Endpoint

PARAMETERS = ("_headers", "_query")
ANY = Q()
PERCENT = 100
MINUTE = 60
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
    """Everything about a new experiment but its metrics and stages, which are rows of their own."""

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
    candidate = KeyedChoiceField(Backend, among=IN_USE, label="Candidate backend", help_text="The version to try.")
    control_headers = PairsField(required=False, label="Headers for the control")
    candidate_headers = PairsField(
        required=False, label="Headers for the candidate", help_text="One “name: value” a line, like “x-prompt: v2”."
    )
    control_query = PairsField(required=False, label="Query parameters for the control")
    candidate_query = PairsField(
        required=False,
        label="Query parameters for the candidate",
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
    alpha = forms.FloatField(
        label="False promotion, %",
        help_text="Chance to promote a version that is not better.",
        initial=5,
        min_value=0.01,
        max_value=49,
    )
    halt_alpha = forms.FloatField(
        label="False halt, %", help_text="Chance to halt a harmless version.", initial=1, min_value=0.01, max_value=49
    )
    power = forms.FloatField(
        label="Power, %",
        help_text="Chance to see an effect of the smallest size that matters.",
        initial=80,
        min_value=1,
        max_value=99.9,
    )
    minimum_units = forms.IntegerField(
        label="Users at least",
        help_text="In each variant, before anything is decided.",
        initial=100,
        min_value=2,
        max_value=10_000_000,
    )
    maximum_days = forms.FloatField(
        label="Days at most",
        help_text="Without a verdict by then it is inconclusive.",
        initial=14,
        min_value=0.001,
        max_value=365,
    )
    tick_seconds = forms.FloatField(
        label="Seconds between analyses",
        help_text="Harm is looked for this often.",
        initial=10,
        min_value=1,
        max_value=86_400,
    )

    @property
    def has_parameters(self) -> bool:
        """Whether headers or query parameters are typed, and have to be seen."""
        return any(self[f"{variant}{part}"].value() for variant in ("control", "candidate") for part in PARAMETERS)

    def clean(self) -> dict[str, Any]:
        """Refuse to compare a version with itself."""
        data = super().clean() or self.cleaned_data
        differences = [(data.get(f"control{part}"), data.get(f"candidate{part}")) for part in ("", *PARAMETERS)]
        if data.get("control") and all(control == candidate for control, candidate in differences):
            self.add_error("candidate", "Choose another backend than the control's, or other headers or parameters.")
        return data


class MetricRow(forms.Form):
    """One metric of the plan; shares and relative sizes are typed in per cent."""

    metric = KeyedChoiceField(Metric)
    role = forms.ChoiceField(choices=[(value, label.split(":")[0]) for value, label in ROLE_CHOICES])
    margin = forms.FloatField(min_value=0, max_value=LARGEST, initial=5)
    margin_kind = forms.ChoiceField(choices=MARGIN_UNITS, label="Margin is in")
    minimum_effect = forms.FloatField(label="Effect, %", min_value=0.01, max_value=LARGEST, initial=5)

    def spec(self) -> dict[str, Any]:
        """The row as the plan's spec has it; only a guardrail has a margin. The row must be valid."""
        data = self.cleaned_data
        typed_in_percent = data["margin_kind"] == MarginKind.RELATIVE or data["metric"].meaning.display_unit == "%"
        margin = data["margin"] / (PERCENT if typed_in_percent else 1)
        return {
            "metric": data["metric"].key,
            "role": data["role"],
            "margin": margin if data["role"] == Role.GUARDRAIL else 0,
            "margin_kind": data["margin_kind"],
            "minimum_effect": data["minimum_effect"] / PERCENT,
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


MetricRows = formset_factory(MetricRow, extra=0, min_num=1, validate_min=True, max_num=100, absolute_max=100)
StageRows = formset_factory(StageRow, extra=0, min_num=1, validate_min=True, max_num=50, absolute_max=50)

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
