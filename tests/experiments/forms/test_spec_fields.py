"""A field of a form follows from what the spec says of it."""

from typing import Any

import pytest
from django import forms
from pydantic import BaseModel, Field

from controlplane.web.form_fields import LinesField, PairsField
from experiments.forms.experiment_forms import CandidateRow, ExperimentForm, MetricRow, StageRow
from experiments.forms.spec_fields import SpecField, SpecForm
from experiments.plan.spec import ExperimentSpec, GuardSpec, MetricSpec, PlanSpec, StageSpec, VariantSpec

DAY = 86_400
CHOICES = [("slow", "Slowly"), ("fast", "Fast")]


class PatienceSpec(BaseModel):
    """One field of each kind."""

    tries: int = Field(3, ge=1, le=9, description="How often.")
    share: float = Field(0.07, gt=0, lt=1)
    longest: int = Field(2 * DAY, ge=DAY, le=7 * DAY)
    eager: bool = Field(False, description="Whether at once.")
    pace: str = "slow"
    note: str = Field("", max_length=20)
    title: str = Field(min_length=1, max_length=10)
    names: tuple[str, ...] = ()
    pairs: dict[str, str] = {}


def field(name: str, **options: Any) -> forms.Field:
    return SpecField(PatienceSpec, "", name, **options).form_field()


@pytest.mark.parametrize(
    ("name", "kind", "required", "initial"),
    [
        ("tries", forms.IntegerField, True, 3),
        ("share", forms.FloatField, True, 0.07),
        ("longest", forms.IntegerField, True, 2 * DAY),
        ("eager", forms.BooleanField, False, False),
        ("pace", forms.CharField, True, "slow"),
        ("note", forms.CharField, False, ""),
        ("title", forms.CharField, True, None),
        ("names", LinesField, False, []),
        ("pairs", PairsField, False, {}),
    ],
)
def test_kind_need_and_default_follow(name: str, kind: type[forms.Field], required: bool, initial: object) -> None:
    found = field(name)
    assert (type(found), found.required, found.initial) == (kind, required, initial)


def test_limits_and_description_follow_in_the_unit_that_is_typed() -> None:
    tries, share, longest = field("tries"), field("share", per=0.01), field("longest", per=DAY)
    assert isinstance(tries, forms.IntegerField)
    assert isinstance(share, forms.FloatField)
    assert isinstance(longest, forms.FloatField)
    assert (tries.min_value, tries.max_value, tries.help_text) == (1, 9, "How often.")
    assert (share.min_value, share.max_value, share.initial) == (0, 100, 7)
    assert (longest.min_value, longest.max_value, longest.initial) == (1, 7, 2)
    assert isinstance(field("title"), forms.CharField)
    assert field("title").max_length == 10  # type: ignore[attr-defined]


def test_what_the_form_says_otherwise_counts() -> None:
    found = field("tries", label="Tries", help_text="", max_value=5, required=False)
    assert (found.label, found.help_text, found.required) == ("Tries", "", False)
    with pytest.raises(forms.ValidationError):
        found.clean("6")
    assert field("pace", choices=CHOICES).clean("fast") == "fast"


@pytest.mark.parametrize(("name", "per"), [("share", 0.01), ("longest", DAY), ("tries", 1), ("names", 1)])
@pytest.mark.parametrize("number", [1, 3, 7])
def test_what_is_typed_is_what_was_read(name: str, per: float, number: int) -> None:
    typed = SpecField(PatienceSpec, "", name, per=per)
    value = {"share": number / 100, "longest": number * DAY, "tries": number, "names": ["a"] * number}[name]
    assert typed.read(typed.typed(value)) == value
    assert type(typed.read(typed.typed(value))) is type(value)


def test_a_field_that_the_spec_does_not_have_has_no_place() -> None:
    with pytest.raises(KeyError):
        field("surprise")


@pytest.mark.parametrize(
    ("form", "part", "spec", "elsewhere"),
    [
        (ExperimentForm, "", ExperimentSpec, {"control", "candidates", "plan", "guard"}),
        (ExperimentForm, "control", VariantSpec, set()),
        (ExperimentForm, "plan", PlanSpec, {"stages", "metrics", "switched_off"}),
        (ExperimentForm, "guard", GuardSpec, set()),
        (CandidateRow, "", VariantSpec, set()),
        (MetricRow, "", MetricSpec, set()),
        (StageRow, "", StageSpec, set()),
    ],
)
def test_every_field_of_the_spec_can_be_typed(
    form: type[SpecForm], part: str, spec: type[BaseModel], elsewhere: set[str]
) -> None:
    """One that could not would be set back to its default by whoever saves the form."""
    placed = [field.field for field in form.spec_fields() if field.part == part]
    assert sorted(placed) == sorted(set(spec.model_fields) - elsewhere)
