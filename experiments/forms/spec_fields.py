"""Fields of forms that follow from the spec: its bounds, its defaults and its descriptions stand in one place."""

from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from django import forms
from pydantic import BaseModel

from experiments.models.plan import SPENDING_CHOICES
from experiments.plan.spec import PlanSpec

DIGITS = 10
DIGITS_OF_SHARES = 12


def number_field(spec: type[BaseModel], name: str, *, per: float = 1, **options: Any) -> forms.Field:
    """A number of a spec, of which one in the form is `per` in the spec; `options` say what the form has otherwise."""
    field = spec.model_fields[name]
    bounds = {"min_value": _bound(field.metadata, Ge, Gt), "max_value": _bound(field.metadata, Le, Lt)}
    derived = {
        "help_text": field.description or "",
        "initial": field.default,
        **{option: bound for option, bound in bounds.items() if bound is not None},
    }
    for option in ("initial", "min_value", "max_value"):
        if option in derived:
            derived[option] = typed_number(derived[option], per=per)
    kind = forms.IntegerField if field.annotation is int and per == 1 else forms.FloatField
    return kind(**{**derived, **options})


def spending_field() -> forms.ChoiceField:
    """How looks share alpha."""
    field = PlanSpec.model_fields["spending"]
    return forms.ChoiceField(choices=SPENDING_CHOICES, initial=field.default, help_text=field.description or "")


def typed_number(value: float, *, per: float = 1) -> float:
    """A number of a spec as it is typed, without the noise of the division."""
    typed = round(value / per, DIGITS)
    return int(typed) if typed == int(typed) else typed


def spec_number(typed: float, *, per: float) -> float:
    """The way back."""
    return round(typed * per, DIGITS_OF_SHARES)


def _bound(metadata: list[Any], *kinds: type[Any]) -> float | None:
    for each in metadata:
        if isinstance(each, kinds):
            limit: float = getattr(each, type(each).__name__.lower())
            return limit
    return None
