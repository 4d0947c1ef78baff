"""Issuers, who sign the tokens that endpoints take."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from controlplane.catalogue.resource import Line, Resource
from controlplane.web.editing import VersionedForm
from controlplane.web.form_fields import LinesField
from routing.catalogue.served import ServedSerializer, published
from routing.models import Issuer
from routing.resources.broken_rows import what_is_broken
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove


class IssuerForm(VersionedForm):
    """Who signs the tokens that endpoints take."""

    wide = ("key_set",)
    audiences = LinesField(required=False, help_text="One a line: the `aud` of tokens that are taken. None: any.")

    class Meta:
        model = Issuer
        fields: ClassVar = ["key", "name", "issuer", "audiences", "key_set"]
        widgets: ClassVar = {"key_set": forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})}
        labels: ClassVar = {"key_set": "Public keys"}
        help_texts: ClassVar = {
            "key": "Short and unique, like login. It stays as it is.",
            "key_set": 'The JSON Web Key Set that the issuer publishes, like {"keys": [{"kty": "RSA", …}]}.',
        }


class IssuerSerializer(ServedSerializer[Issuer]):
    """Who signs the tokens that endpoints take."""

    class Meta:
        model = Issuer
        fields = (*IssuerForm.Meta.fields, "created_at", "broken")


def _listed(issuers: QuerySet[Issuer]) -> Mapping[str, Any]:
    """With the endpoints that take their tokens."""
    return {"lines": [Line(issuer, what_is_broken(issuer, ())) for issuer in issuers.prefetch_related("endpoints")]}


ISSUERS = Resource(
    rows=Issuer.objects.all(),
    form=IssuerForm,
    serializer=IssuerSerializer,
    add=register,
    edit=edit,
    remove=remove,
    words=published("Its tokens let nobody in any more. An issuer that an endpoint names cannot be removed."),
    list_template="routing/issuers.html",
    listed=_listed,
    in_menu=False,
)
