"""Forms of backends and endpoints."""

from typing import ClassVar

from django import forms

from routing.models import Backend, Endpoint


class AddressesField(forms.CharField):
    """A list of addresses, typed one a line."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def prepare_value(self, value: object) -> object:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override]
        """Lines as a list; empty lines are left out."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether the typed lines differ from the list."""
        return self.to_python(data) != initial


class BackendForm(forms.ModelForm):  # type: ignore[type-arg]
    """Where a model version is, what it speaks and what it costs."""

    addresses = AddressesField(help_text="One base address a line, like http://10.0.0.5:8000.")

    class Meta:
        model = Backend
        fields: ClassVar = [
            "key",
            "name",
            "protocol",
            "addresses",
            "health_path",
            "prompt_price",
            "completion_price",
            "registry_reference",
        ]
        help_texts: ClassVar = {
            "key": "Short and unique, like chat-v2. It stays as it is.",
            "health_path": "Asked by the edge to see whether the backend lives.",
        }


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """What clients call, and how users are told apart."""

    class Meta:
        model = Endpoint
        fields: ClassVar = [
            "key",
            "name",
            "path_prefix",
            "backend",
            "unit_source",
            "unit_name",
            "timeout_seconds",
        ]
        labels: ClassVar = {"unit_source": "User id is in", "unit_name": "User id's name", "backend": "Default backend"}
        help_texts: ClassVar = {
            "key": "Short and unique, like chat. It stays as it is.",
            "path_prefix": "Requests whose path begins with this belong to the endpoint, like /chat.",
            "backend": "Answers everybody whom no experiment takes elsewhere.",
        }


def freeze_key(form: forms.BaseForm) -> None:
    """Show the key of a thing that exists without letting it change: links, tables and history refer to it."""
    form.fields["key"].disabled = True
