"""Refuse changes that would move users of running experiments from one variant to another, have what is an error of
one variant be none of the other, or put another model in a variant's place.
"""

from collections.abc import Mapping
from typing import Any

from controlplane.problems.errors import Conflict
from controlplane.storage.keyed import Keyed
from routing.models import Backend, Endpoint, Layer, Split
from routing.resources.references import running_on
from routing.table import BUCKETS

NEXT_STEP = "End these experiments first, or register a second endpoint."
ANOTHER_BACKEND = "Halt these experiments first, which takes effect at once, or register a second backend."


def refuse_moves(thing: Keyed, before: Mapping[str, Any]) -> None:
    """Compare a changed thing with its row from `before`; most kinds move nobody. Raises `Conflict`."""
    if isinstance(thing, Backend):
        _refuse_another_model(thing, before)
    elif isinstance(thing, Endpoint):
        _refuse_reassignment(thing, before)
    elif isinstance(thing, Layer):
        _refuse_new_salt(thing, before)
        _refuse_taking_back(thing)


def _refuse_reassignment(endpoint: Endpoint, before: Mapping[str, Any]) -> None:
    now = {"layer": endpoint.layer.key, "unit_source": endpoint.unit_source, "unit_name": endpoint.unit_name}
    moving = [name for name, value in now.items() if before[name] != value]
    running = list(endpoint.splits.values_list("experiment", flat=True))
    if moving and running:
        raise Conflict(
            "endpoint-in-use",
            f"Changing {' and '.join(moving)} would move users between the variants of {', '.join(running)}.",
            next_step=NEXT_STEP,
        )


def _refuse_another_model(backend: Backend, before: Mapping[str, Any]) -> None:
    """What was measured at it would count for another. An address may go, as what is left was measured too."""
    reason = _another_model(backend, before)
    running = running_on(backend) if reason else []
    if running:
        raise Conflict("backend-in-use", f"{reason} while {', '.join(running)} runs.", next_step=ANOTHER_BACKEND)


def _another_model(backend: Backend, before: Mapping[str, Any]) -> str:
    """Why what answers may be another than before, or is an answer by another rule; empty where it is the same."""
    if backend.protocol != before["protocol"]:
        return f"With another protocol other answers of {backend.key} would be errors"
    if not set(backend.addresses) <= set(before["addresses"]):
        return f"At another address {backend.key} may be another model"
    if before["registry_reference"] not in ("", backend.registry_reference):
        return f"With another registry reference {backend.key} would be another model"
    return ""


def _refuse_new_salt(layer: Layer, before: Mapping[str, Any]) -> None:
    running = list(_splits(layer).values_list("experiment", flat=True))
    if layer.salt != before["salt"] and running:
        raise Conflict(
            "layer-in-use",
            f"A new salt of layer {layer.key} would move users between the variants of {', '.join(running)}.",
            next_step="End these experiments first, or make a second layer.",
        )


def _refuse_taking_back(layer: Layer) -> None:
    taken = list(_splits(layer).filter(end__gt=BUCKETS - layer.holdout).values_list("experiment", flat=True))
    if taken:
        raise Conflict(
            "holdout-taken",
            f"A holdout of {layer.holdout / 100:g} % of layer {layer.key} reaches into users of {', '.join(taken)}.",
            next_step="Hold out fewer, or end these experiments first.",
        )


def _splits(layer: Layer) -> Any:
    return Split.objects.filter(endpoint__layer=layer)
