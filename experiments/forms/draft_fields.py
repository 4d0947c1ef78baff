"""Where the fields of a draft stand on its form, what they are called there, and in which unit they are typed."""

from functools import partial
from typing import Any

from django import forms
from django.db.models import Model, Q

from controlplane.storage.keyed import KEY_VALIDATOR
from experiments.evidence.conditions import CONDITION_COLUMNS
from experiments.forms.spec_fields import Groups, SpecField
from experiments.models import Metric
from experiments.models.experiment import Kind
from experiments.models.plan import ROLE_CHOICES, SPENDING_CHOICES
from experiments.plan.spec import ExperimentSpec, GuardSpec, MetricSpec, PlanSpec, StageSpec, VariantSpec
from experiments.stats.core.types import MarginKind
from routing.models import IN_USE, Backend, Endpoint

ANY = Q()
ONE_PERCENT = 0.01
MINUTE = 60
DAY = 86_400
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


whole = partial(SpecField, ExperimentSpec, "")
control = partial(SpecField, VariantSpec, "control")
plan = partial(SpecField, PlanSpec, "plan")
guard = partial(SpecField, GuardSpec, "guard", required=False)
candidate = partial(SpecField, VariantSpec, "", help_text="")
metric = partial(SpecField, MetricSpec, "", help_text="")
stage = partial(SpecField, StageSpec, "", help_text="")

any_backend = partial(KeyedChoiceField, Backend, among=IN_USE)

DRAFT: Groups = {
    "compared": (
        whole("name"),
        whole("key", validators=[KEY_VALIDATOR], help_text="Short and unique, like chat-v2-canary. It stays as it is."),
        whole("kind", choices=Kind.choices),
        whole("endpoint", kind=partial(KeyedChoiceField, Endpoint)),
        control(
            "backend",
            "Control backend",
            name="control",
            kind=any_backend,
            help_text="The version that users get today.",
        ),
        whole("traffic", "Traffic, %", min_value=0.02, help_text="Users of the endpoint that take part."),
    ),
    "texts": (
        whole("audience", help_text="One condition on headers a line, like “x-country is DE, FR”. None: everybody."),
        whole(
            "hypothesis",
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="What you expect to happen, and why.",
        ),
    ),
    "control": (
        control(
            "key",
            validators=[KEY_VALIDATOR],
            initial="control",
            help_text="What it is called in rows and results.",
        ),
        control("weight"),
        control("headers", "Headers for the control", help_text="One “name: value” a line, like “x-prompt: v2”."),
        control(
            "query",
            "Query parameters for the control",
            help_text="One “name: value” a line, like “temperature: 0.2”.",
        ),
    ),
    "rates": (
        plan("alpha", "False promotion, %", per=ONE_PERCENT),
        plan("halt_alpha", "False halt, %", per=ONE_PERCENT),
        plan("power", "Power, %", per=ONE_PERCENT),
        plan("minimum_units", "Users at least"),
        plan("maximum_seconds", "Days at most", per=DAY, name="maximum_days"),
        plan("tick_seconds", "Seconds between analyses"),
    ),
    "dimensions": (
        plan(
            "dimensions",
            "Results by dimension",
            kind=partial(forms.MultipleChoiceField, widget=forms.CheckboxSelectMultiple),
            choices=[(name, name.capitalize()) for name in CONDITION_COLUMNS],
        ),
    ),
    "looks": (
        plan("looks"),
        plan("spending", choices=SPENDING_CHOICES),
        plan("covariate_days", "Days of the past"),
    ),
    "guard": (
        guard("requests", "Latest requests"),
        guard("failing_share", "Failing, %", per=ONE_PERCENT, min_value=0.01),
        guard("window_seconds", "Window, seconds", min_value=0.001),
        guard("first_byte_ms", "Latest first byte, ms"),
    ),
}
"""All but its rows, and guardrails that every plan has."""

CANDIDATE: Groups = {
    "candidate": (
        candidate("backend", "Candidate backend", kind=any_backend),
        candidate("key", "Candidate key", validators=[KEY_VALIDATOR]),
        candidate("weight"),
    ),
    "parameters": (
        candidate("headers", "Headers for the candidate"),
        candidate("query", "Query parameters for the candidate"),
    ),
}
METRIC: Groups = {
    "metric": (
        metric("metric", kind=partial(KeyedChoiceField, Metric)),
        metric("role", choices=[(value, label.split(":")[0]) for value, label in ROLE_CHOICES]),
        # In per cent, or in the metric's own unit: the row knows which.
        metric("margin", initial=5),
        metric("margin_kind", "Margin is in", choices=MARGIN_UNITS),
        metric("minimum_effect", "Effect, %", per=ONE_PERCENT),
        metric("covariate", "Adjust by the past"),
    ),
}
STAGE: Groups = {
    "stage": (
        stage("coverage", "Coverage, %"),
        stage("soak_seconds", "Soak, minutes", per=MINUTE, name="soak_minutes"),
    ),
}

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
