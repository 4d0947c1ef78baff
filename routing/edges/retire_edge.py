"""Forget an edge that is gone for good."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import Conflict
from routing.edges.reported import SILENT_AFTER
from routing.models import Edge


def retire_edge(edge: Edge, *, actor: Actor, now: datetime | None = None) -> None:
    """Take it from the list and the alerts; what it served stays in the lake, and if it reports again it is back.

    Redis forgets its name with the next tick. Raises `NotAllowed`, and `Conflict` while it reports.
    """
    actor.require(Role.OPERATOR)
    moment = now or timezone.now()
    with transaction.atomic():
        silent = Edge.objects.filter(pk=edge.pk, seen_at__lt=moment - SILENT_AFTER)
        gone, _ = silent.delete()
        if not gone:
            raise Conflict(
                "edge-reports",
                f"Edge {edge.name} still reports, or was retired already.",
                next_step="Stop its agent first; once it is silent it can be retired.",
            )
        seen = {"zone": edge.zone, "labels": edge.labels, "seen_at": edge.seen_at.isoformat()}
        record(actor, "retire", "edge", edge.name, before=seen)
