"""Rows as plain data, for the audit trail."""

from typing import Any

from django.forms.models import model_to_dict

from routing.models import Backend, Endpoint, Issuer, Layer


def snapshot(thing: Backend | Endpoint | Layer | Issuer) -> dict[str, Any]:
    """All editable fields of a row, as JSON can hold them."""
    return model_to_dict(thing)
