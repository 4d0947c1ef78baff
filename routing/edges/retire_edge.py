"""Forget an edge that is gone for good."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from routing.edges.lost_rows import still_needed_by
from routing.edges.reported import SILENT_AFTER
from routing.models import Edge


def retire_edge(edge: Edge, *, actor: Actor, now: datetime | None = None) -> None:
    """Take it from the list and the alerts; what it served stays in the lake, and if it reports again it is back.

    Redis forgets its name once the collector has all of its rows. Raises `NotAllowed`, and `Conflict` while it reports,
    or what it lost still keeps a running experiment from being promoted.
    """
    actor.require(Right.PLAN)
    moment = now or timezone.now()
    with transaction.atomic():
        _refuse_while_needed(edge)
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


def _refuse_while_needed(edge: Edge) -> None:
    experiments = still_needed_by(edge)
    if experiments:
        raise Conflict(
            "edge-lost-rows",
            f"Edge {edge.name} lost rows of {', '.join(experiments)}, and nobody would know it any more.",
            next_step="End these experiments first; then it can be retired.",
        )
