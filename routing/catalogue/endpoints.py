"""Endpoints: what clients call, and the backends behind it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, Tagged
from controlplane.api.fields import StrictSerializer
from controlplane.api.permissions import needs
from controlplane.api.schema import CONDITIONAL_PROBLEMS, READ_PROBLEMS, problem
from controlplane.catalogue.resource import Line, Resource
from controlplane.models import Right
from controlplane.settings import get_environment
from controlplane.web.form_fields import LinesField, PairsField, StrictJSONField
from routing.catalogue.served import DefaultsForm, ServedSerializer, published
from routing.kill_switch.stops import open_stops
from routing.lake.endpoint_traffic import LATELY, endpoint_traffic
from routing.models import Backend, Endpoint, Issuer, Layer
from routing.resources.broken_rows import known_backends, what_is_broken
from routing.resources.defaults import default_of, standby_of
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.switch import switch

LISTS = ("rules", "tiers", "shadows", "rate_limits")


class EndpointForm(DefaultsForm):
    """What clients call, how users are told apart, and who else answers."""

    wide = LISTS
    hosts = LinesField(required=False, help_text="One a line, like api.example.com or *.example.com. None: any host.")
    methods = LinesField(required=False, help_text="One a line, like POST. None: any method.")
    conditions = LinesField(required=False, help_text="One a line, like “x-country is DE, FR” or “x-beta is present”.")
    model_names = LinesField(
        required=False, help_text="One a line: the `model` of the body, or of paths like /models/…."
    )

    test_networks = LinesField(
        required=False,
        label="Networks of testers",
        help_text="One a line, like 10.0.0.0/8. Who calls from these may choose a variant and have it explained; "
        "others need an access key for tests.",
    )

    headers = PairsField(required=False, help_text="Set on its requests, one a line, like “x-prompt: v2”.")
    query = PairsField(
        required=False,
        label="Query parameters",
        help_text="Set on its requests, one a line, like “temperature: 0.2”.",
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
            "test_networks",
            "rate_limits",
            "tiers",
            "shadows",
            "kept_percent",
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
            "timeout_seconds": "Time limit of an answer, seconds",
            "first_byte_seconds": "Time limit to the first byte, seconds",
            "idle_seconds": "Time limit of silence, seconds",
            "body_bytes": "Largest request, bytes",
            "kept_percent": "Kept of users in no experiment, per cent",
        }
        help_texts: ClassVar = {
            "key": "Short and unique, like chat. It stays as it is.",
            "path_prefix": "Requests whose path begins with this belong to the endpoint, like /chat.",
            "backend": "Answers everybody who is in no experiment.",
            "standby": "Kept warm; a switch swaps it with the default backend for all users at once.",
            "rules": 'Audiences that get something else; the first that fits counts. Like [{"key": "germany", '
            '"conditions": ["x-country is DE"], "backend": "v2", "headers": {"x-prompt": "v2"}}].',
            "rate_limits": 'Like [{"requests": 100, "seconds": 60, "per": "client"}]; per endpoint, client or unit.',
            "tiers": 'Like [{"key": "short", "backend": "small", "longest_bytes": 2000, '
            '"conditions": ["x-priority is low"]}].',
            "kept_percent": "What experiments measure is always kept. Below 100, forecasts and traffic are scaled up "
            "from those that are.",
            "shadows": 'Like [{"name": "try-v2", "backend": "v2", "percent": 10}]. Users never see their answers.',
        }

    @property
    def has_more(self) -> bool:
        """Whether anything beside the essentials is set or wrong, and has to be seen."""
        matching = ("key", "name", "path_prefix", "backend", "standby", "unit_source", "unit_name", "layer")
        essential = (*matching, "timeout_seconds", "retries", "entrance", "kept_percent", "version")
        others = [name for name in self.fields if name not in essential]
        return any(
            self[name].errors or self[name].value() not in (None, "", "[]", [], False, 0, 0.0) for name in others
        )


class EndpointSerializer(ServedSerializer[Endpoint]):
    """A public name and the backend behind it."""

    backend = serializers.SlugRelatedField(slug_field="key", queryset=Backend.objects.all())
    standby = serializers.SlugRelatedField(
        slug_field="key", queryset=Backend.objects.all(), allow_null=True, required=False
    )

    layer = serializers.SlugRelatedField(
        slug_field="key",
        queryset=Layer.objects.all(),
        allow_null=True,
        required=False,
        help_text="The layer that the endpoint shares with others; without one it gets its own.",
    )

    issuer = serializers.SlugRelatedField(
        slug_field="key", queryset=Issuer.objects.all(), allow_null=True, required=False
    )

    class Meta:
        model = Endpoint
        fields = (*EndpointForm.Meta.fields, "created_at", "broken")


class EndpointTrafficSerializer(serializers.Serializer[object]):
    """What came to an endpoint lately, by how it ended, and what of it has no unit, and why."""

    since = serializers.DateTimeField()
    requests = serializers.IntegerField()
    results = serializers.DictField(child=serializers.IntegerField(), help_text="By how they ended.")
    failures = serializers.DictField(
        child=serializers.IntegerField(), help_text="Those that failed or are unknown, by cause."
    )
    share_without_unit = serializers.FloatField(help_text="From 0 to 1; such requests are in no experiment.")
    without_unit = serializers.DictField(child=serializers.IntegerField(), help_text="By why they have none.")
    unreadable = serializers.DictField(
        child=serializers.IntegerField(), help_text="Numbers in answers that could not be read, by name."
    )


class SwitchSerializer(StrictSerializer):
    """A switch of an endpoint to its standby."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")
    to = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Only when this backend is the standby."
    )
    forced = serializers.BooleanField(required=False, default=False, help_text="Also while experiments run.")


class EndpointCalls(Tagged[Endpoint]):
    """A switch to the standby, and what came lately."""

    @extend_schema(
        description="Swap the backend and the standby, each with its headers and query parameters, for all users at "
        "once; the same again goes back.",
        request=SwitchSerializer,
        parameters=[IF_MATCH, ETAG],
        responses={200: EndpointSerializer, **CONDITIONAL_PROBLEMS},
    )
    @action(detail=True, methods=["post"], permission_classes=[needs(Right.PROMOTE)])
    def switch(self, request: Request, key: str) -> Response:
        """Swap the backend and the standby."""
        endpoint = self.get_object()
        sent = SwitchSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        self.refuse_outdated(endpoint)
        version = self.version_of(endpoint)
        switch(endpoint, actor=request_actor(request), version=version, **sent.validated_data)
        return Response(EndpointSerializer(self.get_object()).data)

    @extend_schema(
        description="The requests of the last hour: how they ended, how many have no user id, and why.",
        responses={200: EndpointTrafficSerializer, **READ_PROBLEMS, 503: problem("The lake cannot be read.")},
    )
    @action(detail=True)
    def traffic(self, request: Request, key: str) -> Response:
        """How requests ended lately."""
        found = endpoint_traffic(get_environment().lake_url, self.get_object().key, timezone.now() - LATELY)
        return Response(EndpointTrafficSerializer(found).data)


def _listed(endpoints: QuerySet[Endpoint]) -> Mapping[str, Any]:
    """With who answers, the experiments that run on them, and where the kill switch is on."""
    stops, known = open_stops(), known_backends()
    lines = [
        Line(
            endpoint,
            what_is_broken(endpoint, known),
            {
                "default": default_of(endpoint),
                "standby": standby_of(endpoint),
                "stop": stops.by_endpoint.get(endpoint.pk),
            },
        )
        for endpoint in endpoints
    ]
    return {"lines": lines, "everywhere": stops.everywhere}


ENDPOINTS = Resource(
    rows=Endpoint.objects.select_related("backend", "standby", "layer", "issuer").prefetch_related("splits"),
    form=EndpointForm,
    serializer=EndpointSerializer,
    add=register,
    edit=edit,
    remove=remove,
    words=published(
        "Its clients get 404 from then on. An endpoint that an experiment uses cannot be removed.",
        note="A change is published at once. Where the user id is and the layer cannot change while an experiment "
        "runs: users would move between variants.",
    ),
    list_template="routing/endpoints.html",
    endpoint_path="key",
    form_template="routing/endpoint_form.html",
    listed=_listed,
    further_calls=(EndpointCalls,),
)
