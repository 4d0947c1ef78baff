"""Reads of rows that edges have lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.access_log.losses import Loss
from routing.edges.heartbeats import read_losses_told
from routing.models import Edge, RoutingTable, Split
from routing.table import TableUnreadableError, from_json


@dataclass(frozen=True, slots=True)
class LostRows:
    """Rows of one backend that an edge has lost; `rows` is None where nobody can tell how many, nor whose."""

    backend: str
    rows: int | None
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.rows} of {self.backend}" if self.rows is not None else "some that nobody can tell"


def lost_rows(edge: Edge) -> list[LostRows]:
    """What an edge has lost, by backend, over all runs of its Envoy."""
    found: dict[str, LostRows] = {}
    for loss in read_losses_told(edge.losses):
        since, until = datetime.fromisoformat(loss.since), datetime.fromisoformat(loss.until)
        before = found.get(loss.backend, LostRows(loss.backend, 0, since, until))
        rows = None if loss.rows is None or before.rows is None else before.rows + loss.rows
        found[loss.backend] = LostRows(loss.backend, rows, min(before.since, since), max(before.until, until))
    return [found[backend] for backend in sorted(found)]


def lost_by_variant(experiment: str) -> Mapping[str, int]:
    """Rows of each variant of an experiment that edges have lost."""
    found: dict[str, int] = {}
    for loss in _losses():
        if loss.experiment == experiment and loss.rows is not None:
            found[loss.variant] = found.get(loss.variant, 0) + loss.rows
    return found


def untold_since(moment: datetime) -> list[str]:
    """The edges that lost, since a moment, rows of which nobody can tell whose they are."""
    return sorted(
        edge.name
        for edge in Edge.objects.all()
        if any(
            loss.rows is None and datetime.fromisoformat(loss.until) >= moment for loss in read_losses_told(edge.losses)
        )
    )


def still_needed_by(edge: Edge) -> list[str]:
    """The experiments that run and lost rows at this edge; of rows that nobody can tell, those that ran then."""
    losses = read_losses_told(edge.losses)
    if not losses:
        return []
    running = set(Split.objects.values_list("experiment", flat=True))
    untold = [datetime.fromisoformat(loss.until) for loss in losses if loss.rows is None]
    lost = {loss.experiment for loss in losses if loss.rows}
    return sorted(running & (lost | (_ran_at(max(untold), running) if untold else set())))


def _ran_at(moment: datetime, running: set[str]) -> set[str]:
    """The experiments of the table of then; where it cannot be read, all that run now."""
    published = RoutingTable.objects.filter(created_at__lte=moment).order_by("-version").first()
    try:
        endpoints = from_json(published.content).endpoints if published else ()
    except TableUnreadableError:
        return running
    return {experiment.key for endpoint in endpoints for experiment in endpoint.experiments}


def _losses() -> list[Loss]:
    told = Edge.objects.values_list("losses", flat=True)
    return [loss for losses in told for loss in read_losses_told(losses)]
