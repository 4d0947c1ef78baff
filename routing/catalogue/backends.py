"""Backends: deployed model versions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from controlplane.api.authentication import request_actor
from controlplane.api.schema import WRITE_PROBLEMS
from controlplane.catalogue.resource import Line, Resource
from controlplane.web.form_fields import LinesField
from routing.catalogue.served import DefaultsForm, ServedSerializer, published
from routing.models import Backend
from routing.resources.broken_rows import what_is_broken
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.restore import restore
from routing.resources.retire import retire


class BackendForm(DefaultsForm):
    """Where a model version is, what it speaks and what it costs."""

    wide = ("addresses", "registry_reference")
    addresses = LinesField(help_text="One base address a line, like http://10.0.0.5:8000.")
    # What follows a space begins after it.
    credential_prefix = forms.CharField(max_length=20, required=False, strip=False, help_text="Text before it.")

    class Meta:
        model = Backend
        fields: ClassVar = [
            "key",
            "name",
            "protocol",
            "health_path",
            "addresses",
            "prompt_price",
            "completion_price",
            "credential_secret",
            "credential_header",
            "credential_prefix",
            "connect_seconds",
            "concurrency",
            "http2",
            "fallback",
            "registry_reference",
        ]
        labels: ClassVar = {"connect_seconds": "Time limit to connect, seconds", "http2": "HTTP/2"}
        help_texts: ClassVar = {
            "key": "Short and unique, like chat-v2. It stays as it is.",
            "health_path": "Asked by the edge to see whether the model is ready. Empty: the protocol's own.",
        }


class BackendSerializer(ServedSerializer[Backend]):
    """A deployed model version."""

    addresses = serializers.ListField(
        child=serializers.CharField(max_length=300), allow_empty=False, max_length=200, help_text="Base addresses."
    )
    fallback = serializers.SlugRelatedField(
        slug_field="key", queryset=Backend.objects.all(), allow_null=True, required=False
    )

    class Meta:
        model = Backend
        fields = (*BackendForm.Meta.fields, "created_at", "retired_at", "broken")
        extra_kwargs: ClassVar = {"credential_prefix": {"trim_whitespace": False}}


class BackendCalls(GenericViewSet[Backend]):
    """Taking one out of use, and back into it."""

    @extend_schema(
        description="Take a backend out of use that only ended experiments name. It stays in their history, with "
        "`retired_at`, and nothing new can name it. A backend that nothing ever named can be removed instead.",
        request=None,
        responses={200: BackendSerializer, **WRITE_PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, key: str) -> Response:
        """Take it out of use."""
        retire(self.get_object(), actor=request_actor(request))
        return Response(BackendSerializer(self.get_object()).data)

    @extend_schema(
        description="Bring a retired backend back into use.",
        request=None,
        responses={200: BackendSerializer, **WRITE_PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, key: str) -> Response:
        """Bring it back into use."""
        restore(self.get_object(), actor=request_actor(request))
        return Response(BackendSerializer(self.get_object()).data)


def _listed(backends: QuerySet[Backend]) -> Mapping[str, Any]:
    """With where they are used, and apart from them those that were retired."""
    found = list(backends.prefetch_related("endpoints"))
    return {
        "lines": [Line(backend, what_is_broken(backend, ())) for backend in found if not backend.is_over],
        "retired": [backend for backend in found if backend.is_over],
    }


BACKENDS = Resource(
    rows=Backend.objects.select_related("fallback"),
    form=BackendForm,
    serializer=BackendSerializer,
    add=register,
    edit=edit,
    remove=remove,
    words=published(
        "Edges forget its addresses. A backend that an endpoint or an experiment names cannot be removed; "
        "retire it once all of these have ended.",
        note="A change is published at once: edges send traffic by it within a second.",
    ),
    list_template="routing/backends.html",
    form_template="routing/backend_form.html",
    listed=_listed,
    further_calls=(BackendCalls,),
)
