"""Fields that forms of several pages share."""

import json
from typing import Any

from django import forms

from controlplane.problems.errors import InvalidInput
from controlplane.problems.strict_json import read_json


class LinesField(forms.CharField):
    """A list of texts, typed one a line."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def prepare_value(self, value: object) -> object:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override]
        """Lines as a list; empty lines are left out."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether the typed lines differ from the list."""
        return self.to_python(data) != (initial or [])


class PairsField(forms.CharField):
    """Values by their names, typed one `name: value` a line."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def prepare_value(self, value: object) -> object:
        """Show a mapping as lines."""
        return "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: object) -> dict[str, str]:  # type: ignore[override]
        """Lines as a mapping. Raises `ValidationError` when one has no name, or one that came before."""
        pairs: dict[str, str] = {}
        for line in filter(str.strip, str(value or "").splitlines()):
            name, colon, rest = (part.strip() for part in line.partition(":"))
            if not colon or not name or name in pairs:
                raise forms.ValidationError(f"“{line.strip()}” has no colon, or repeats a name. Write `name: value`.")
            pairs[name] = rest
        return pairs

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether the typed lines differ from the mapping."""
        try:
            return self.to_python(data) != (initial or {})
        except forms.ValidationError:
            return True


class _StrictDecoder(json.JSONDecoder):
    def decode(self, text: str, *_: Any) -> Any:
        try:
            return read_json(text)
        except InvalidInput as error:
            raise json.JSONDecodeError(error.detail, "", 0) from error


class StrictJSONField(forms.JSONField):
    """JSON as the API takes it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "decoder": _StrictDecoder})
