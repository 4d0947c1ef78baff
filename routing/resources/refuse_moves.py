"""Refuse changes that would move users of running experiments from one variant to another, or have what is an error
of one variant be none of the other.
"""

from collections.abc import Mapping
from typing import Any

from controlplane.problems.errors import Conflict
from controlplane.storage.keyed import Keyed
from routing.models import Backend, Endpoint, Layer, Split
from routing.resources.references import running_on
from routing.table import BUCKETS

NEXT_STEP = "End these experiments first, or register a second endpoint."


def refuse_moves(thing: Keyed, before: Mapping[str, Any]) -> None:
    """Compare a changed thing with its row from `before`; most kinds move nobody. Raises `Conflict`."""
    if isinstance(thing, Backend):
        _refuse_another_protocol(thing, before)
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
    if before["backend"] != endpoint.backend.key:
        _refuse_candidate(endpoint)


def _refuse_candidate(endpoint: Endpoint) -> None:
    """A halt gives everybody the default: a candidate that is the default would be halted into everybody's hands."""
    key = endpoint.backend.key
    tried = [
        split.experiment for split in endpoint.splits.all() if any(arm["backend"] == key for arm in split.arms[1:])
    ]
    if tried:
        raise Conflict(
            "default-is-candidate",
            f"{key} is a candidate of {', '.join(tried)}, which runs: were it halted, everybody would get it.",
            next_step="Promote it there, or halt the experiment first.",
        )


def _refuse_another_protocol(backend: Backend, before: Mapping[str, Any]) -> None:
    """What its answers are is what tells which of them are errors."""
    if backend.protocol == before["protocol"]:
        return
    running = running_on(backend)
    if running:
        raise Conflict(
            "backend-in-use",
            f"With another protocol other answers of {backend.key} would be errors while {', '.join(running)} runs.",
            next_step="End these experiments first, or register a second backend.",
        )


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
