"""Fields of forms that follow from the spec: its limits, its defaults and its descriptions stand in one place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from pydantic import BaseModel

from controlplane.web.form_fields import LinesField, PairsField
from experiments.plan.spec import described

DIGITS = 10
DIGITS_OF_SHARES = 12
MAY_BE_EMPTY: tuple[object, ...] = ("", [], {})

Kind = Callable[..., forms.Field]

KINDS: Mapping[str, Kind] = {
    "boolean": forms.BooleanField,
    "integer": forms.IntegerField,
    "number": forms.FloatField,
    "string": forms.CharField,
    "array": LinesField,
    "object": PairsField,
}
"""How values of each type are typed."""

LIMITS = {
    "minimum": "min_value",
    "exclusiveMinimum": "min_value",
    "maximum": "max_value",
    "exclusiveMaximum": "max_value",
    "maxLength": "max_length",
}


class SpecField:
    """A field of a spec as it is typed.

    `part` is where the spec is in the whole, like `plan`. One in the form is `per` in the spec. A form calls it by
    `part` and `field`, where it has no `name` of its own. `options` say what the form has otherwise than the spec.
    """

    def __init__(
        self,
        spec: type[BaseModel],
        part: str,
        field: str,
        label: str | None = None,
        *,
        per: float = 1,
        name: str = "",
        kind: Kind | None = None,
        **options: Any,
    ) -> None:
        self.part, self.field = part, field
        self.path = f"{part}.{field}" if part else field
        self.name = name or self.path.removeprefix("plan.").replace(".", "_")
        self._told, self._per = described(spec)[field], per
        self._kind = kind or self._usual_kind(options)
        # Another kind of field has limits of its own, like what there is to choose from.
        limits = {} if kind else self._limits()
        self._options = {**self._derived(), **limits, "label": label, **options}

    def form_field(self) -> forms.Field:
        """It as a field of a form."""
        return self._kind(**self._options)

    def typed(self, value: Any) -> Any:
        """A value of the spec as it is typed."""
        return typed_number(value, per=self._per) if self._is_number else value

    def read(self, typed: Any) -> Any:
        """A typed value as the spec has it."""
        if isinstance(typed, Model):
            return typed.key  # type: ignore[attr-defined]
        if isinstance(typed, str):
            return typed.replace("\r\n", "\n")
        number = spec_number(typed, per=self._per)
        return round(number) if self._told.get("type") == "integer" else number

    @property
    def _is_number(self) -> bool:
        return self._told.get("type") in ("integer", "number")

    def _usual_kind(self, options: Mapping[str, Any]) -> Kind:
        if "choices" in options:
            return forms.ChoiceField
        return forms.FloatField if self._per != 1 else KINDS[self._told["type"]]

    def _derived(self) -> dict[str, Any]:
        told = self._told
        return {
            "help_text": told.get("description", ""),
            "required": told.get("default") not in MAY_BE_EMPTY and told.get("type") != "boolean",
            "initial": self.typed(told["default"]) if "default" in told else None,
        }

    def _limits(self) -> dict[str, Any]:
        return {option: self.typed(self._told[limit]) for limit, option in LIMITS.items() if limit in self._told}


Groups = Mapping[str, Sequence[SpecField]]


class SpecForm(forms.Form):
    """A form whose fields follow from a spec, in the groups in which they stand on the page."""

    spec_groups: ClassVar[Groups] = {}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields.update({field.name: field.form_field() for field in self.spec_fields()})

    @classmethod
    def spec_fields(cls) -> tuple[SpecField, ...]:
        """Those of all groups."""
        return tuple(chain.from_iterable(cls.spec_groups.values()))

    @property
    def groups(self) -> dict[str, list[forms.BoundField]]:
        """The fields by the name of their group."""
        return {name: [self[field.name] for field in fields] for name, fields in self.spec_groups.items()}

    @property
    def unusual(self) -> set[str]:
        """The groups in which something is other than by default, or wrong, and has to be seen."""
        return {name for name, fields in self.spec_groups.items() if any(self.is_unusual(each.name) for each in fields)}

    def is_unusual(self, name: str) -> bool:
        """Whether a field holds something else than by default, or something wrong."""
        field = self.fields[name]
        return field.has_changed(field.initial, self[name].value()) or (self.is_bound and name in self.errors)

    def spec(self, part: str = "") -> dict[str, Any]:
        """A part as the spec has it: what is left empty is as by default. The form must be valid."""
        of_part = [(field, self.cleaned_data[field.name]) for field in self.spec_fields() if field.part == part]
        return {field.field: field.read(typed) for field, typed in of_part if typed is not None}

    def called(self, path: str) -> str:
        """What the form calls the field at this path in the spec."""
        return next((field.name for field in self.spec_fields() if field.path == path), path)


def typed_values(fields: Iterable[SpecField], spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as it is typed, but for the parts of it that are null."""
    found = [(field, spec[field.part] if field.part else spec) for field in fields]
    return {field.name: field.typed(part[field.field]) for field, part in found if part is not None}


def typed_number(value: float, *, per: float = 1) -> float:
    """A number of a spec as it is typed, without the noise of the division."""
    typed = value if per == 1 else round(value / per, DIGITS)
    return int(typed) if typed == int(typed) else typed


def spec_number(typed: float, *, per: float) -> float:
    """The way back."""
    return typed if per == 1 else round(typed * per, DIGITS_OF_SHARES)
