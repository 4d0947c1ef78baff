"""Forms of backends and endpoints."""

from typing import ClassVar

from django import forms

from controlplane.web.form_fields import LinesField, PairsField, StrictJSONField
from routing.catalogue.served import DefaultsForm
from routing.models import Endpoint, Layer

LISTS = ("rules", "tiers", "shadows", "rate_limits")


class EndpointForm(DefaultsForm):
    """What clients call, how users are told apart, and who else answers."""

    hosts = LinesField(required=False, help_text="One a line, like api.example.com or *.example.com. None: any host.")
    methods = LinesField(required=False, help_text="One a line, like POST. None: any method.")
    conditions = LinesField(required=False, help_text="One a line, like “x-country is DE, FR” or “x-beta is present”.")
    model_names = LinesField(
        required=False, help_text="One a line: the `model` of the body, or of paths like /models/…."
    )

    headers = PairsField(required=False, help_text="That its requests get, one a line, like “x-prompt: v2”.")
    query = PairsField(
        required=False,
        label="Query parameters",
        help_text="That its requests get, one a line, like “temperature: 0.2”.",
    )
    standby_headers = PairsField(required=False, label="Standby's headers", help_text="A switch brings them along.")
    standby_query = PairsField(
        required=False, label="Standby's query parameters", help_text="A switch brings them along."
    )

    layer = forms.ModelChoiceField(
        Layer.objects.all(),
        required=False,
        empty_label="One of its own",
        help_text="Endpoints of one layer have the same buckets, and no user is in two of its experiments.",
    )

    class Meta:
        model = Endpoint
        fields: ClassVar = [
            "key",
            "name",
            "path_prefix",
            "backend",
            "standby",
            "unit_source",
            "unit_name",
            "layer",
            "headers",
            "query",
            "standby_headers",
            "standby_query",
            "rules",
            "timeout_seconds",
            "anonymous",
            "hosts",
            "methods",
            "conditions",
            "model_names",
            "rewrite",
            "first_byte_seconds",
            "idle_seconds",
            "retries",
            "body_bytes",
            "entrance",
            "issuer",
            "rate_limits",
            "tiers",
            "shadows",
        ]
        widgets: ClassVar = dict.fromkeys(LISTS, forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}))
        field_classes: ClassVar = dict.fromkeys(LISTS, StrictJSONField)
        labels: ClassVar = {
            "unit_source": "User id is in",
            "unit_name": "User id's name",
            "backend": "Default backend",
            "standby": "Standby backend",
            "anonymous": "Name users who have no id",
            "rewrite": "Path prefix at the backend",
            "first_byte_seconds": "Seconds until an answer begins",
            "idle_seconds": "Seconds of silence within an answer",
            "body_bytes": "Bytes of a request",
        }
        help_texts: ClassVar = {
            "key": "Short and unique, like chat. It stays as it is.",
            "path_prefix": "Requests whose path begins with this belong to the endpoint, like /chat.",
            "backend": "Answers everybody whom no experiment takes elsewhere.",
            "standby": "Kept warm; a switch swaps it with the default backend for all users at once.",
            "rules": 'Audiences that get something else, the first that a request meets: like [{"key": "germany", '
            '"conditions": ["x-country is DE"], "backend": "v2", "headers": {"x-prompt": "v2"}}].',
            "rate_limits": 'Like [{"requests": 100, "seconds": 60, "per": "client"}]; per endpoint, client or unit.',
            "tiers": 'Like [{"key": "short", "backend": "small", "longest_bytes": 2000, '
            '"conditions": ["x-priority is low"]}].',
            "shadows": 'Like [{"name": "try-v2", "backend": "v2", "percent": 10}]. Users never see their answers.',
        }

    @property
    def has_more(self) -> bool:
        """Whether anything beside the essentials is set or wrong, and has to be seen."""
        matching = ("key", "name", "path_prefix", "backend", "standby", "unit_source", "unit_name", "layer")
        essential = (*matching, "timeout_seconds", "retries", "entrance", "version")
        others = [name for name in self.fields if name not in essential]
        return any(
            self[name].errors or self[name].value() not in (None, "", "[]", [], False, 0, 0.0) for name in others
        )


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the audit trail, together with your name.",
    )


class SwitchForm(forms.Form):
    """A switch to the standby, in the version of the endpoint that the page showed."""

    to = forms.CharField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays in the audit trail, together with your name.",
    )
    forced = forms.BooleanField(required=False, label="Switch although experiments run")
