"""Layers: endpoints that share their users' buckets."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from controlplane.api.fields import PercentField, StrictModelSerializer
from controlplane.catalogue.resource import Resource
from controlplane.web.editing import VersionedForm
from routing.catalogue.layer_drawing import drawn
from routing.catalogue.served import published
from routing.models import Endpoint, Layer, Split, new_salt
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.table import BUCKETS, BasisPoints


class LayerForm(VersionedForm):
    """Endpoints that share their users' buckets; the holdout is typed in per cent."""

    holdout = forms.FloatField(
        label="Holdout, %",
        required=False,
        min_value=0,
        max_value=99.99,
        help_text="Users that no experiment of the layer ever takes. Promotions reach them too.",
    )

    class Meta:
        model = Layer
        fields: ClassVar = ["key", "name", "holdout", "salt"]
        help_texts: ClassVar = {
            "key": "Short and unique, like checkout. It stays as it is.",
            "salt": "Any text; made when left empty. Take over one from elsewhere to keep its buckets.",
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if isinstance(self.instance.holdout, int):
            self.initial["holdout"] = BasisPoints(self.instance.holdout).percent

    def clean_salt(self) -> str:
        """What was typed, or a new one."""
        return self.cleaned_data["salt"] or new_salt()

    def clean_holdout(self) -> int:
        """As so many buckets."""
        return BasisPoints.of_percent(self.cleaned_data["holdout"] or 0)


class LayerSerializer(StrictModelSerializer[Layer]):
    """Endpoints whose users have the same buckets, and whose experiments share no user."""

    salt = serializers.CharField(
        max_length=64, required=False, help_text="Separates this layer's assignment from all others; made if left out."
    )
    holdout = PercentField(
        BUCKETS,
        required=False,
        min_value=0,
        max_value=99.99,
        help_text="Per cent of the users that no experiment takes.",
    )
    endpoints = serializers.SlugRelatedField[Any](slug_field="key", many=True, read_only=True)

    class Meta:
        model = Layer
        fields = (*LayerForm.Meta.fields, "endpoints", "created_at", "broken")


def _listed(layers: QuerySet[Layer]) -> Mapping[str, Any]:
    """With the experiments on their endpoints."""
    splits = Prefetch("splits", Split.objects.select_related("endpoint"))
    endpoints = Prefetch("endpoints", Endpoint.objects.prefetch_related(splits))
    return {"lines": [drawn(layer) for layer in layers.prefetch_related(None).prefetch_related(endpoints)]}


LAYERS = Resource(
    rows=Layer.objects.prefetch_related("endpoints"),
    form=LayerForm,
    serializer=LayerSerializer,
    add=register,
    edit=edit,
    remove=remove,
    words=published(
        "Its salt is forgotten. A layer with endpoints cannot be removed.",
        added="is registered; endpoints may join it.",
        note="A new salt gives every user another bucket. It cannot change, and the holdout cannot reach into an "
        "experiment's users, while experiments run.",
    ),
    list_template="routing/layers.html",
    listed=_listed,
)
