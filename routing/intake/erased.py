"""Outcomes of users who were erased: what is of the time before does not come in again."""

from collections.abc import Sequence

from routing.allocation.unit_identity import unit_hash
from routing.intake.outcomes import OutcomeEvent
from routing.models import Erasure


def is_erased(events: Sequence[OutcomeEvent], key: bytes) -> list[bool]:
    """Of each event, whether it is of a unit whose erasure was asked for after the event's time."""
    asked = dict(Erasure.objects.order_by("asked_at").values_list("unit", "asked_at"))
    if not asked:
        return [False] * len(events)
    moments = [None if event.unit is None else asked.get(unit_hash(key, event.unit)) for event in events]
    return [moment is not None and event.time < moment for event, moment in zip(events, moments, strict=True)]
