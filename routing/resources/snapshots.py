"""Rows as plain data, for the audit trail."""

from typing import Any

from django.db import models
from django.forms.models import model_to_dict

from controlplane.storage.keyed import Keyed


def snapshot(thing: Keyed) -> dict[str, Any]:
    """All editable fields of a row as JSON can hold them; other rows by their keys."""
    fields = model_to_dict(thing)
    others = {name: getattr(thing, name) for name in fields if isinstance(getattr(thing, name), models.Model)}
    return {**fields, **{name: other.key for name, other in others.items()}}
