"""The page of edges."""

from datetime import datetime

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST, require_safe

from controlplane.models import Right
from controlplane.web.pages import acting, done, page, requires
from routing.alerts.current import alerts
from routing.edges.lost_rows import lost_rows, still_needed_by
from routing.edges.reported import SILENT_AFTER
from routing.edges.retire_edge import retire_edge
from routing.models import Edge
from routing.publishing.newest_table import latest_table

SHOWN_IN_SECONDS = 120
SILENT = "Silent"


@require_safe
def edge_list(request: HttpRequest) -> HttpResponse:
    """Which edges live, and which routing table each one serves. A background refresh gets the table alone."""
    latest = latest_table()
    version = latest.version if latest else 0
    edges = [_legible_row(edge, version, timezone.now()) for edge in Edge.objects.all()]
    template = "routing/edges_table.html" if request.headers.get("HX-Request") else "routing/edges.html"
    of_edges = [alert for alert in alerts(timezone.now()) if alert.edge]
    return page(request, template, {"edges": edges, "latest_version": version, "alerts": of_edges})


def _legible_row(edge: Edge, latest_version: int, now: datetime) -> dict[str, object]:
    """The row of an edge that may be broken in any way; the alerts above it say why."""
    try:
        return _row(edge, latest_version, now)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return {"edge": edge, "tone": "bad", "health": "Broken", "heard": "", "lost": [], "silent": False}


def _row(edge: Edge, latest_version: int, now: datetime) -> dict[str, object]:
    tone, words = _health(edge, latest_version, now)
    return {
        "edge": edge,
        "tone": tone,
        "health": words,
        "heard": _ago(edge.seen_at, now),
        "lost": lost_rows(edge),
        "silent": words == SILENT,
        "needed_by": still_needed_by(edge) if words == SILENT else [],
    }


@require_POST
@requires(Right.PLAN)
def edge_retire(request: HttpRequest, name: str) -> HttpResponse:
    """Forget an edge that is gone for good."""
    edge = get_object_or_404(Edge, name=name)
    done(request, lambda: retire_edge(edge, actor=acting(request)), f"Edge {name} is retired.")
    return redirect("edge-list")


def _ago(moment: datetime, now: datetime) -> str:
    seconds = max(0, round((now - moment).total_seconds()))
    return f"{seconds} s ago" if seconds < SHOWN_IN_SECONDS else f"{timesince(moment, now)} ago"


def _health(edge: Edge, latest_version: int, now: datetime) -> tuple[str, str]:
    if now - edge.seen_at > SILENT_AFTER:
        return "bad", SILENT
    if not edge.healthy:
        return "bad", "Unhealthy"
    if edge.applied_version < latest_version:
        return "wait", "Behind"
    return "good", "Healthy"
